"""A cross-encoder of random weights, the smallest that reads pairs."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import BertConfig, BertForSequenceClassification, BertModel

from tests.predictors.conftest import END, SIZE, START, tiny_tokeniser

LIMIT = 32


def write_cross_encoder(folder: Path, *, labels: int | None = 1, seed: int = 0) -> str:
    """Write a BERT with a classifier of so many logits, or without one; give the folder."""
    torch.manual_seed(seed)
    sizes = BertConfig(
        vocab_size=SIZE,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=LIMIT,
        initializer_range=0.2,
    )
    sizes.num_labels = labels or 2
    model = BertModel(sizes) if labels is None else BertForSequenceClassification(sizes)
    tokeniser = tiny_tokeniser(cls_token=START, sep_token=END)
    tokeniser.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    model.save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return str(folder)
