"""No class reads more tokens than its model takes: by default it cuts, and a setting that asks for more is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
)

from reml.access.responses import gather
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Queries
from reml.files.model_location import ModelError
from reml.predictors.fid import FiD
from reml.predictors.fid_copy import CopyFiD
from reml.predictors.in_context import InContext
from reml.predictors.knn_lm import KnnLm
from reml.predictors.span import Span
from reml.retrievers.encoders.clip_encoder import ClipEncoder
from reml.retrievers.encoders.sparse_encoder import TextCut
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.splade import Splade
from reml.retrievers.states import States
from reml.testing import MemoryCollection
from tests.predictors.conftest import END, SIZE, START, byte_tokeniser, tiny_tokeniser
from tests.predictors.contract import only
from tests.small_cross_encoder import LIMIT, write_cross_encoder
from tests.text.models.folders import BERT, bert, put, write_images

POSITIONS = 48
LONG = "what river is the city of the country " * 20
PASSAGES = MemoryCollection([LONG, "chad is a country"], ["chad", "france"])
SPARSE = TextCut(query_tokens=8, item_tokens=POSITIONS + 1)


def write_bert(folder: Path) -> str:
    return put(folder, bert(max_position_embeddings=POSITIONS))


def write_masked(folder: Path) -> str:
    torch.manual_seed(0)
    return put(folder, BertForMaskedLM(BertConfig(**BERT, max_position_embeddings=POSITIONS)))


def write_gpt2(folder: Path) -> str:
    torch.manual_seed(0)
    words = byte_tokeniser()
    config = GPT2Config(vocab_size=len(words), n_embd=32, n_layer=2, n_head=4, n_positions=POSITIONS)
    config.bos_token_id, config.eos_token_id, config.pad_token_id = 1, 2, 0
    return put(folder, GPT2LMHeadModel(config), words)


def write_bart(folder: Path) -> str:
    torch.manual_seed(0)
    config = BartConfig(vocab_size=SIZE, encoder_layers=1, decoder_layers=1, d_model=32, forced_eos_token_id=None)
    config.encoder_attention_heads = config.decoder_attention_heads = 4
    config.encoder_ffn_dim = config.decoder_ffn_dim = 64
    config.max_position_embeddings = POSITIONS
    config.pad_token_id, config.bos_token_id, config.eos_token_id, config.decoder_start_token_id = 0, 2, 3, 3
    return put(folder, BartForConditionalGeneration(config), tiny_tokeniser(bos_token=START, eos_token=END))


Write = Callable[[Path], str]
READERS: dict[str, tuple[Write, Callable[[str], Predictor], Callable[[str], object], str]] = {
    "FiD": (
        write_bart,
        lambda folder: FiD(folder, answer_tokens=6).eval(),
        lambda folder: FiD(folder, input_tokens=POSITIONS + 1),
        f"input_tokens is {POSITIONS + 1}, but the model takes {POSITIONS} tokens",
    ),
    "CopyFiD": (
        write_bert,
        lambda folder: CopyFiD(folder, answer_tokens=6).eval(),
        lambda folder: CopyFiD(folder, input_tokens=POSITIONS + 1),
        f"input_tokens is {POSITIONS + 1}, but the model takes {POSITIONS} tokens",
    ),
    "Span": (
        write_bert,
        lambda folder: Span(folder).eval(),
        lambda folder: Span(folder, input_tokens=POSITIONS + 1),
        f"input_tokens is {POSITIONS + 1}, but the model takes {POSITIONS} tokens",
    ),
    "InContext": (
        write_gpt2,
        lambda folder: InContext(folder, prompt="{passages}{question}", answer_tokens=6).eval(),
        lambda folder: InContext(folder, input_tokens=POSITIONS, answer_tokens=6),
        f"input_tokens is {POSITIONS}, but the model takes {POSITIONS - 7} tokens",
    ),
    "KnnLm": (
        write_gpt2,
        lambda folder: KnnLm(folder, answer_tokens=6).eval(),
        lambda folder: KnnLm(folder, answer_tokens=POSITIONS),
        f"answer_tokens is {POSITIONS}, but the model takes {POSITIONS - 2} tokens",
    ),
}


@pytest.mark.parametrize("name", READERS)
def test_readers_cut_what_they_read(name: str, tmp_path: Path) -> None:
    write, make, ask, said = READERS[name]
    folder = write(tmp_path / "the-model")
    hits = Hits(np.array([[0, 1]]), np.ones((1, 2), dtype=np.float32))
    example = Example("a", LONG, (Answer("the river"),))
    batch = Batch.of([example], only(gather(PASSAGES, hits), 0, [0, 1]))
    predictor = make(folder)
    assert len(predictor.generate(batch)) == 1
    assert predictor.loss(batch).loss.isfinite().all()
    with pytest.raises(ModelError, match=f"{said} .*the-model"):
        ask(folder)


def test_states_are_of_as_many_tokens_as_the_model_takes(tmp_path: Path) -> None:
    folder = write_gpt2(tmp_path / "the-model")
    collection: Collection = PASSAGES
    assert len(States(folder).index(collection, tmp_path / "index").collection) == POSITIONS - 1 + 16
    with pytest.raises(ModelError, match=f"tokens is 49, but the model takes {POSITIONS} tokens .*the-model"):
        States(folder, tokens=49).index(collection, tmp_path / "other")


def test_a_cross_encoder_cuts_pairs(tmp_path: Path) -> None:
    folder = write_cross_encoder(tmp_path / "the-model")
    items = PASSAGES.get(PASSAGES.rows())
    scores = CrossEncoder(folder).score(Queries.of([LONG]), items, np.array([[0, 1]]))
    assert scores.isfinite().all()
    with pytest.raises(ModelError, match=f"max_tokens is {LIMIT + 1}, but the model takes {LIMIT} tokens .*the-model"):
        _ = CrossEncoder(folder, max_tokens=LIMIT + 1).module


def test_a_sparse_encoder_cuts_texts(tmp_path: Path) -> None:
    folder = write_masked(tmp_path / "the-model")
    encoder = Splade(model=folder).encoder(PASSAGES, tmp_path)
    assert encoder.cut == TextCut(query_tokens=POSITIONS, item_tokens=POSITIONS)
    assert len(encoder.encode_items(PASSAGES.get(PASSAGES.rows()))) == 2
    with pytest.raises(ModelError, match=f"cut.item_tokens is 49, but the model takes {POSITIONS} tokens .*the-model"):
        Splade(model=folder, cut=SPARSE).encoder(PASSAGES, tmp_path)


def test_a_clip_cuts_texts(tmp_path: Path) -> None:
    assert np.isfinite(ClipEncoder.load(write_images(tmp_path / "clip")).encode_queries([LONG]).values).all()
