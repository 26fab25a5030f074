"""What marginals ask of a generator: likelihoods after pairs of a question and an item, and the next token by step."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from torch import Tensor, nn

from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.predictors.reading.places import Places


class Prefixes(Protocol):
    """R beginnings of answers, each after one pair."""

    @property
    def log_next(self) -> Tensor:
        """Log p of the next token after each, [R, V]."""

    def after(self, rows: Tensor, tokens: Tensor) -> Prefixes:
        """Give R' beginnings: those at rows int64 [R'], each with one more token, int64 [R']."""


class ReadPairs(Protocol):
    """P pairs that a generator has read."""

    @property
    def places(self) -> Places:
        """Whose each pair is."""

    def begin(self) -> Prefixes:
        """Give the P empty beginnings."""

    def log_likelihood(self, rows: Tensor, targets: Tensor) -> Tensor:
        """Give log p of each target token after the pairs at rows, [R, T], with gradient; 0 where there is none.

        rows: int64 [R]. targets: int64 [R, T], `IGNORED` behind their ends.
        """


class Generator(nn.Module, abc.ABC):
    """Reads pairs and says answers, token by token. That an answer ends is one token, `end`."""

    end: int
    answer_tokens: int

    @abc.abstractmethod
    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Compute once, into `folder`, what is needed of each item."""

    @abc.abstractmethod
    def read(self, examples: Sequence[Example], responses: Responses) -> ReadPairs:
        """Read each example with each of its items, or alone if it has none."""

    @abc.abstractmethod
    def targets(self, examples: Sequence[Example]) -> list[list[int]]:
        """Give the tokens of the right answers, at most `answer_tokens` and the end; `ValueError` if there is none."""

    @abc.abstractmethod
    def text(self, tokens: Sequence[int]) -> str:
        """Give the text of an answer's tokens, its end left out."""


GeneratorMaker = Callable[[], Generator]
