"""Loading the tokeniser of a model."""

from __future__ import annotations

from transformers import AutoTokenizer, PreTrainedTokenizerFast


def load_tokeniser(folder: str) -> PreTrainedTokenizerFast:
    """Load a fast tokeniser; `TypeError` if the model has only a slow one, which knows no character offsets."""
    tokeniser = AutoTokenizer.from_pretrained(folder)
    if not isinstance(tokeniser, PreTrainedTokenizerFast):
        raise TypeError(f"{folder} has no fast tokeniser (tokenizer.json). Name a model that has one.")
    return tokeniser
