"""Encoders of other families than BERT, encoders that lack a part, and how many tokens each takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertForMaskedLM,
    DPRConfig,
    DPRContextEncoder,
    DPRQuestionEncoder,
    RobertaConfig,
    RobertaModel,
    T5EncoderModel,
)

from reml.files.model_location import ModelError
from reml.retrievers.encoders.dense_encoder import DenseEncoder, Encoding
from tests.predictors.conftest import END, PIECES, SIZE, START, tiny_tokeniser
from tests.retrievers.encoders.test_declared_vectors import FULL, PLAIN, TEXTS, mean, pooling, unit
from tests.text.models import folders
from tests.text.models.folders import BERT, WIDTH, bert, modules, put, tokeniser


def vectors(folder: str, texts: Sequence[str] = TEXTS, **settings: Any) -> np.ndarray:
    return DenseEncoder.load(folder, Encoding(precision="float32", **settings)).encode_queries(list(texts)).values


@pytest.mark.parametrize("projected", [0, 16])
@pytest.mark.parametrize("kind", [DPRQuestionEncoder, DPRContextEncoder])
def test_either_encoder_of_a_dpr_gives_its_own_vector(
    kind: type[DPRQuestionEncoder | DPRContextEncoder], projected: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    model = folders.still(kind(DPRConfig(**BERT, projection_dim=projected)))
    folder = put(tmp_path / "model", model)
    expected = []
    for text in TEXTS:
        with torch.no_grad():
            expected.append(model(torch.tensor([tokeniser()(text)["input_ids"]])).pooler_output[0])
    np.testing.assert_allclose(vectors(folder), torch.stack(expected).numpy(), rtol=1e-4, atol=1e-5)
    encoder = DenseEncoder.load(folder, FULL)
    assert encoder.similarity == "dot"
    encoder.save(tmp_path / "saved")
    assert DenseEncoder.load(str(tmp_path / "saved")).fingerprint() == encoder.fingerprint()


@pytest.mark.parametrize("whole", [False, True])
def test_of_a_t5_the_encoder_is_taken(whole: bool, tmp_path: Path) -> None:
    folder = folders.write_t5(tmp_path / "t5")
    model = T5EncoderModel.from_pretrained(folder)
    if not whole:
        model.save_pretrained(tmp_path / "encoder")
        tiny_tokeniser(eos_token=END).save_pretrained(tmp_path / "encoder")
        folder = str(tmp_path / "encoder")
    expected = []
    for text in TEXTS:
        ids = torch.tensor([tiny_tokeniser(eos_token=END)(text)["input_ids"]])
        with torch.no_grad():
            expected.append(unit(model(input_ids=ids).last_hidden_state[0].mean(0)))
    np.testing.assert_allclose(vectors(folder), torch.stack(expected).numpy(), rtol=1e-4, atol=1e-5)


def test_of_another_encoder_decoder_none_is_taken(tmp_path: Path) -> None:
    config = BartConfig(vocab_size=SIZE, encoder_layers=1, decoder_layers=1, d_model=WIDTH)
    config.encoder_attention_heads = config.decoder_attention_heads = 4
    folder = put(tmp_path / "bart", BartForConditionalGeneration(config))
    with pytest.raises(ModelError, match="has a decoder: name the model of an encoder, such as a BERT, or a T5"):
        DenseEncoder.load(folder)


def test_a_pooler_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Encoders come without one from masked language models, whose head an encoder does not use."""
    torch.manual_seed(0)
    masked = folders.still(BertForMaskedLM(bert().config))
    folder = put(tmp_path / "masked", masked)
    one, other = DenseEncoder.load(folder, FULL), DenseEncoder.load(folder, FULL)
    assert one.fingerprint() == other.fingerprint(), "nothing in it is left to chance"
    expected = torch.stack([unit(mean(masked.bert, text)) for text in TEXTS])
    np.testing.assert_allclose(one.encode_queries(TEXTS).values, expected.numpy(), rtol=1e-4, atol=1e-5)


LONG = ["river " * 200]


@pytest.mark.parametrize("limit", [16, 40])
def test_a_text_is_cut_to_the_positions_that_there_are(limit: int, tmp_path: Path) -> None:
    """The tokeniser names no limit; a setting that asks for more is refused."""
    folder = put(tmp_path / "the-model", bert(max_position_embeddings=limit))
    assert DenseEncoder.load(folder).encoding.max_tokens == limit
    cut = "river " * (limit - 2)
    np.testing.assert_allclose(vectors(folder, LONG), vectors(folder, [cut]), atol=1e-5)
    with pytest.raises(ModelError, match=f"max_tokens is {limit + 1}, but the model takes {limit} tokens .*the-model"):
        DenseEncoder.load(folder, Encoding(max_tokens=limit + 1))


def test_the_lowest_of_all_limits_holds(tmp_path: Path) -> None:
    words = tokeniser()
    for of_tokeniser, of_folder, positions, lowest in (
        (9, 30, 64, 9),
        (30, 9, 64, 9),
        (30, 64, 12, 12),
        (30, None, 64, 30),
    ):
        words.model_max_length = of_tokeniser
        said = {"sentence_bert_config.json": {"max_seq_length": of_folder}}
        case = {**said, "modules.json": modules(*PLAIN), "1_Pooling/config.json": pooling("cls_token")}
        folder = put(tmp_path / f"{of_tokeniser}-{of_folder}", bert(max_position_embeddings=positions), words, case)
        assert DenseEncoder.load(folder).encoding.max_tokens == lowest


def test_robertas_first_position_is_after_paddings(tmp_path: Path) -> None:
    config = RobertaConfig(**{**BERT, "max_position_embeddings": 20}, pad_token_id=PIECES.index(START))
    torch.manual_seed(0)
    folder = put(tmp_path / "roberta", RobertaModel(config))
    assert DenseEncoder.load(folder).encoding.max_tokens == 20 - PIECES.index(START) - 1
    vectors(folder, LONG)
