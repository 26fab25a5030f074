"""Whole folders of many families are loaded: a head that is not used, or a pooler that is not there, is no fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
)

from reml.predictors.fid import FiD
from reml.predictors.in_context import InContext
from reml.retrievers.encoders.dense_encoder import DenseEncoder
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from reml.retrievers.splade import Splade
from reml.testing import MemoryCollection
from tests.predictors.conftest import END, SIZE, START, byte_tokeniser, tiny_tokeniser
from tests.text.models.folders import put

SMALL: dict[str, Any] = {
    "vocab_size": SIZE,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
ENCODERS: dict[str, dict[str, Any]] = {
    "Albert": {"embedding_size": 16},
    "Bert": {},
    "BigBird": {"attention_type": "original_full"},
    "Camembert": {},
    "DebertaV2": {"type_vocab_size": 0},
    "DistilBert": {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 64},
    "Electra": {"embedding_size": 16},
    "MPNet": {},
    "ModernBert": {"cls_token_id": 2, "sep_token_id": 3, "global_attn_every_n_layers": 1},
    "Roberta": {},
    "XLMRoberta": {},
}
SPEAKERS: dict[str, dict[str, Any]] = {
    "GPT2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64},
    "GPTNeoX": {},
    "Llama": {"num_key_value_heads": 2},
    "Mistral": {"num_key_value_heads": 2},
    "OPT": {"ffn_dim": 64, "word_embed_proj_dim": 32},
    "Qwen2": {"num_key_value_heads": 2},
    "Qwen3": {"num_key_value_heads": 2, "head_dim": 8},
}
BART = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
}
T5 = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 1, "num_heads": 4, "decoder_start_token_id": 0}
READERS: dict[str, dict[str, Any]] = {"Bart": BART, "MBart": BART, "MT5": T5, "T5": T5}


def config(family: str, more: dict[str, Any], **changes: Any) -> Any:
    torch.manual_seed(0)
    return getattr(transformers, f"{family}Config")(**{**SMALL, **more, **changes})


def made(kind: Any, sizes: Any) -> Any:
    return kind.from_config(sizes)


@pytest.mark.parametrize("family", ENCODERS)
def test_a_masked_language_model_is_sparse_and_dense(family: str, tmp_path: Path) -> None:
    words = tiny_tokeniser(cls_token=START, sep_token=END)
    model = made(AutoModelForMaskedLM, config(family, ENCODERS[family]))
    folder = put(tmp_path / "model", model, words)
    network = Splade(model=folder).encoder(MemoryCollection([]), tmp_path)
    assert network.encode_queries(["the river"]).width == SIZE
    one, other = (DenseEncoder.load(folder) for _ in range(2))
    assert one.encode_queries(["the river " * 99]).values.shape == (1, 32)
    assert one.fingerprint() == other.fingerprint()


@pytest.mark.parametrize("family", ENCODERS)
def test_a_classifier_is_a_ranker(family: str, tmp_path: Path) -> None:
    words = tiny_tokeniser(cls_token=START, sep_token=END)
    model = made(AutoModelForSequenceClassification, config(family, ENCODERS[family], num_labels=1))
    folder = put(tmp_path / "model", model, words)
    _ = CrossEncoder(folder).module


@pytest.mark.parametrize("family", SPEAKERS)
def test_a_language_model_speaks_and_encodes(family: str, tmp_path: Path) -> None:
    words = byte_tokeniser()
    sizes = config(family, SPEAKERS[family], vocab_size=len(words) + 1, bos_token_id=1, eos_token_id=2)
    folder = put(tmp_path / "model", made(AutoModelForCausalLM, sizes), words)
    assert InContext(folder, answer_tokens=4).input_tokens == 59
    assert DenseEncoder.load(folder).encode_queries(["the river " * 99]).values.shape == (1, 32)


@pytest.mark.parametrize("family", READERS)
def test_an_encoder_decoder_reads(family: str, tmp_path: Path) -> None:
    model = made(AutoModelForSeq2SeqLM, config(family, READERS[family]))
    FiD(put(tmp_path / "model", model, tiny_tokeniser(bos_token=START, eos_token=END)))
