"""Choices by digest: the same in every process, on every machine, whatever order the choices come in."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Self, TypeVar, get_args

from reml.contract.examples import Example
from reml.files.atomic import digest

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_Choice = TypeVar("_Choice")


@dataclass(frozen=True, slots=True)
class Draft:
    """An example that is made only if it is chosen: its id, the pages that its evidence stands on, what makes it."""

    id: str
    pages: tuple[str, ...]
    make: Callable[[], Example]

    @classmethod
    def of(cls, example: Example) -> Self:
        """Give an example that is made already."""
        pages = tuple(place.wikipedia_id for answer in example.output for place in answer.provenance)
        return cls(example.id, pages, lambda: example)


def percent(*key: str) -> int:
    """Give a place from 0 to 99."""
    return _number(*key) % 100


def sample(drafts: Iterable[Draft], size: int) -> list[Example]:
    """Make `size` examples, or all there are, in an order that mixes what they are made of."""
    return [draft.make() for draft in heapq.nsmallest(size, drafts, key=lambda draft: digest(draft.id))]


def in_order(ids: Iterable[str]) -> list[str]:
    """Sort the ids of examples as `sample` sorts the examples."""
    return sorted(ids, key=digest)


def choose(choices: Sequence[_Choice], *key: str) -> _Choice:
    """Choose one by the digest of a key."""
    return choices[_number(*key) % len(choices)]


def _number(*key: str) -> int:
    return int(digest(*key), 16)
