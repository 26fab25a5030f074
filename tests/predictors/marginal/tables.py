"""A generator that is a table: p(next token | last token, pair), small enough to write down all that it can say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

END, TOKENS, LONGEST = 0, 4, 3


@dataclass(frozen=True)
class TablePrefixes:
    """R beginnings. tables: log p [P, 1 + V, V], the first row at the start; pairs and last: int64 [R]."""

    tables: Tensor
    pairs: Tensor
    last: Tensor

    @property
    def log_next(self) -> Tensor:
        return self.tables[self.pairs, self.last]

    def after(self, rows: Tensor, tokens: Tensor) -> TablePrefixes:
        return TablePrefixes(self.tables, self.pairs[rows], tokens + 1)


def tables(pairs: int, seed: int, sharpness: float = 1.5) -> Tensor:
    made = torch.randn(pairs, 1 + TOKENS, TOKENS, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.log_softmax(sharpness * made, dim=2)


def begun(made: Tensor) -> TablePrefixes:
    return TablePrefixes(made, torch.arange(len(made)), torch.zeros(len(made), dtype=torch.int64))


def shares(sizes: list[int], seed: int) -> Tensor:
    """Give log p(z | x) of each pair of groups of such sizes."""
    generator = torch.Generator().manual_seed(seed)
    made = [torch.randn(size, generator=generator, dtype=torch.float64).log_softmax(0) for size in sizes]
    return torch.cat(made)


def every_answer() -> Iterator[tuple[int, ...]]:
    """Give all answers of at most `LONGEST` tokens, their end left out."""
    said = [token for token in range(TOKENS) if token != END]
    for length in range(LONGEST + 1):
        yield from itertools.product(said, repeat=length)


def by_token(table: Tensor, answer: tuple[int, ...]) -> Tensor:
    """Give log p of each token of an answer and of its end after one pair."""
    rows = [0, *(token + 1 for token in answer)]
    return torch.stack([table[row, token] for row, token in zip(rows, [*answer, END], strict=True)])
