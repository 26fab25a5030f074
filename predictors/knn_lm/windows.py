"""A text longer than a model takes, in windows that overlap: each token but the first is scored once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """Tokens `start` to `end` of a text are read; those from `first` on are scored, each after all read before it."""

    start: int
    first: int
    end: int


def windows(tokens: int, size: int, stride: int) -> Iterator[Window]:
    """Cover a text of so many tokens by windows of at most `size`, each `stride` tokens after the one before it.

    A token is scored after at least size - stride others, or after all that stand before it. The text's first token is
    not scored: nothing stands before it.
    """
    first, start = 1, 0
    while first < tokens:
        end = min(start + size, tokens)
        yield Window(start, first, end)
        first, start = end, start + stride
