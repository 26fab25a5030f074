"""Tasks whose examples are made at run time of what a package carries: what the embedded ones have in common."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Example, Measure
from reml.tasks.by_digest import SPLITS, Draft, Split, sample


@dataclass(frozen=True, slots=True)
class Making:
    """What gives the examples of a kind of task for a split, what it is measured by, and how many a split keeps."""

    drafts: Callable[[Split], Iterator[Draft]]
    measure: Measure
    sizes: Mapping[Split, int]


def drafted(make: Callable[[Split], Iterator[Example]]) -> Callable[[Split], Iterator[Draft]]:
    """Give as drafts what is made of a split at once."""
    return functools.partial(_drafts, make)


def _drafts(make: Callable[[Split], Iterator[Example]], split: Split) -> Iterator[Draft]:
    return map(Draft.of, make(split))


class MadeTask(ABC):
    """A task of one kind of a family; `limit` keeps at most so many examples of each split.

    `ValueError` for a kind or a limit that is not allowed.
    """

    def __init__(self, family: str, kinds: Mapping[str, Making], kind: str, limit: int | None) -> None:
        if kind not in kinds:
            raise ValueError(f"there is no kind {kind!r} of {family} task. Choose one of {list(kinds)}.")
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}: give at least 1, or nothing for all examples.")
        self._name, self._making, self._limit = f"{family}_{kind}", kinds[kind], limit
        self._splits: dict[str, list[Example]] = {}

    @property
    def name(self) -> str:
        """The kind after the family's name."""
        return self._name

    @property
    def measure(self) -> Measure:
        """The measure that KILT ranks tasks of this kind by."""
        return self._making.measure

    @abstractmethod
    def source(self) -> KnowledgeSource:
        """Give the pages."""

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`; `ValueError` for another split."""
        if split not in SPLITS:
            raise ValueError(f"{self._name} has no split {split!r}. Choose one of {list(SPLITS)}.")
        if split not in self._splits:
            self._splits[split] = sample(self._making.drafts(split), self._making.sizes[split])
        return self._splits[split][: self._limit]
