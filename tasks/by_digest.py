"""Choices by digest: the same in every process, on every machine, whatever order the choices come in."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar, get_args

from reml.contract.examples import Example
from reml.files.atomic import digest

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_Choice = TypeVar("_Choice")


def percent(*key: str) -> int:
    """Give a place from 0 to 99."""
    return _number(*key) % 100


def sample(examples: Iterable[Example], size: int) -> list[Example]:
    """Choose `size` examples, or all there are, in an order that mixes what they are made of."""
    return heapq.nsmallest(size, examples, key=lambda example: digest(example.id))


def in_order(ids: Iterable[str]) -> list[str]:
    """Sort the ids of examples as `sample` sorts the examples."""
    return sorted(ids, key=digest)


def choose(choices: Sequence[_Choice], *key: str) -> _Choice:
    """Choose one by the digest of a key."""
    return choices[_number(*key) % len(choices)]


def _number(*key: str) -> int:
    return int(digest(*key), 16)
