"""A generator that is a table: p(next token | last token, pair), small enough to write down all that it can say."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.predictors.marginal.generator import Generator
from reml.predictors.reading.encoder_decoders import IGNORED
from reml.predictors.reading.pairs import readable
from reml.predictors.reading.places import Places

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
    """Give all answers of one to `LONGEST` tokens, their end left out."""
    said = [token for token in range(TOKENS) if token != END]
    for length in range(1, LONGEST + 1):
        yield from itertools.product(said, repeat=length)


def by_token(table: Tensor, answer: tuple[int, ...]) -> Tensor:
    """Give log p of each token of an answer and of its end after one pair."""
    rows = [0, *(token + 1 for token in answer)]
    return torch.stack([table[row, token] for row, token in zip(rows, [*answer, END], strict=True)])


@dataclass(frozen=True)
class TablePairs:
    tables: Tensor
    places: Places

    def begin(self) -> TablePrefixes:
        return begun(self.tables)

    def log_likelihood(self, rows: Tensor, targets: Tensor) -> Tensor:
        said = [
            by_token(self.tables[row], tuple(token for token in target if token not in (END, IGNORED)))
            for row, target in zip(rows.tolist(), targets.tolist(), strict=True)
        ]
        padded = [functional.pad(one, (0, targets.shape[1] - len(one))) for one in said]
        return torch.stack(padded)


class TableGenerator(Generator):
    """What is said after an item is the table of its row; alone, the last table."""

    end, answer_tokens = END, LONGEST

    def __init__(self, made: Tensor) -> None:
        super().__init__()
        self.made = made

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def read(self, examples: Sequence[Example], responses: Responses) -> TablePairs:
        places = Places.of(readable(responses))
        keys = zip(places.owners.tolist(), places.positions.tolist(), places.alone.tolist(), strict=True)
        rows = [-1 if alone else int(responses.rows[owner, place]) for owner, place, alone in keys]
        return TablePairs(self.made[rows], places)

    def targets(self, examples: Sequence[Example]) -> list[list[int]]:
        return [[*map(int, example.answers[0].split()), END] for example in examples]

    def text(self, tokens: Sequence[int]) -> str:
        return " ".join(map(str, tokens))
