"""Whether a passage has a right answer, as DPR counts it.

Karpukhin et al., "Dense Passage Retrieval for Open-Domain Question Answering", EMNLP 2020: the answer's tokens stand in
the passage one after the other, both in NFD and lower case; a token is a run of letters, numbers and marks, or another
visible character. KILT's `answer_in_context` compares strings instead, so that it finds "art" in "start".
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable

import regex

_TOKEN = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\p{Z}\p{C}]")
_EDGE = "\x1f"  # stands in no token: it is a control character


def answer_clues(answers: Iterable[str]) -> frozenset[str]:
    """Give right answers in the form that `has_answer` looks for; those without a token are left out."""
    return frozenset(clue for answer in answers if len(clue := _joined(answer)) > 1)


def has_answer(text: str, clues: frozenset[str]) -> bool:
    """Tell whether the tokens of one of the answers stand in a text."""
    tokens = _joined(text)
    return any(clue in tokens for clue in clues)


@functools.lru_cache(maxsize=4096)  # several access models find the same passages, for many questions
def _joined(text: str) -> str:
    return _EDGE.join(["", *_TOKEN.findall(unicodedata.normalize("NFD", text).lower()), ""])
