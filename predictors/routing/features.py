"""What of a question tells which access model serves it: its vector, its form, its length."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from reml.access.querying.query_generators import MENTION
from reml.text.frozen_states import FrozenStates
from reml.text.models.transformers_types import PreTrainedTokenizerFast
from reml.text.token_table import token_ids

QUESTION_WORDS = ("who", "what", "which", "when", "where", "how", "why", "is", "name")
FORM = 5
WIDTH = FORM + len(QUESTION_WORDS)
_WORD = re.compile(r"\w+")


def form(text: str) -> list[float]:
    """Tell the form of an input, [WIDTH]: length, mention, slot, dialogue, question mark, and its question words."""
    words = _WORD.findall(text.lower())
    said = set(words)
    kinds = (MENTION.search(text) is not None, "[SEP]" in text, "\n" in text.strip(), text.rstrip().endswith("?"))
    return [math.log1p(len(words)) / 4, *map(float, kinds), *(float(word in said) for word in QUESTION_WORDS)]


def forms(texts: Sequence[str]) -> Tensor:
    """Give the form of each of B texts, float32 [B, WIDTH]."""
    return torch.tensor([form(text) for text in texts], dtype=torch.float32).reshape(len(texts), WIDTH)


def vectors(
    states: FrozenStates, tokeniser: PreTrainedTokenizerFast, texts: Sequence[str], *, tokens: int, device: torch.device
) -> Tensor:
    """Give the mean state of each text's last tokens, special ones included, of length 1, float32 [B, D]."""
    ids = [np.array(row[-tokens:], dtype=np.int64) for row in token_ids(tokeniser, list(texts))]
    means = [torch.from_numpy(one.framed.astype(np.float32)).mean(0) for one in states.of(ids, device)]
    stacked = torch.stack(means) if means else torch.zeros(0, states.width)
    return torch.nn.functional.normalize(stacked, dim=1).to(device)
