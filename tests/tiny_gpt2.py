"""A tiny GPT-2 with random weights over bytes."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from tests.predictors.conftest import byte_tokeniser

WIDTH = 32


def write_gpt2(folder: Path, *, seed: int = 0, width: int = WIDTH) -> str:
    """Save the model and its tokeniser; give the folder."""
    torch.manual_seed(seed)
    tokeniser = byte_tokeniser()
    config = GPT2Config(
        vocab_size=len(tokeniser),
        n_embd=width,
        n_layer=2,
        n_head=4,
        n_positions=512,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=0,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokeniser.save_pretrained(folder)
    return str(folder)
