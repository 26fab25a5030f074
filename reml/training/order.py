"""In which order examples are learnt from: a function of the seed and the epoch, so that any step can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from reml.types import Int64Array


class Order(Protocol):
    """An order of positions in a training set, new in every epoch."""

    def __len__(self) -> int:
        """Count the positions of an epoch."""

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give the positions of epoch `number`, from 0; the same for the same seed and number."""


@dataclass(frozen=True)
class Shuffled:
    """Every one of `count` examples once an epoch."""

    count: int

    def __len__(self) -> int:
        return self.count

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give a permutation of all positions."""
        return _permutation(self.count, seed, number)


@dataclass(frozen=True)
class FromEach:
    """A fixed number of examples of each group an epoch, whatever the groups' sizes.

    sizes: how many examples each group has, in the order they stand in the training set. Each group is gone through in
    a shuffled order of its own, and again from the start when it is through, so that over the epochs all its examples
    are seen equally often.
    """

    sizes: Sequence[int]
    number: int

    def __post_init__(self) -> None:
        if self.number < 1 or any(size < 1 for size in self.sizes):
            raise ValueError(
                f"cannot take {self.number} examples of each of groups with {list(self.sizes)}: both are 1 or more."
            )

    def __len__(self) -> int:
        return self.number * len(self.sizes)

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give `self.number` positions of each group, all shuffled together."""
        starts = np.cumsum([0, *self.sizes[:-1]])
        chosen = [start + self._of_group(group, seed, number) for group, start in enumerate(starts)]
        return np.concatenate(chosen)[_permutation(len(self), seed, number)]

    def _of_group(self, group: int, seed: int, number: int) -> Int64Array:
        size, start = self.sizes[group], number * self.number
        return stretch(start, start + self.number, size, lambda turn: _permutation(size, seed, turn, group))


def stretch(start: int, stop: int, length: int, turn: Callable[[int], Int64Array]) -> Int64Array:
    """Cut [start, stop) out of the endless sequence turn(0), turn(1), ..., each of `length` positions."""
    first, last = start // length, (stop - 1) // length
    turns = np.concatenate([turn(number) for number in range(first, last + 1)])
    return turns[start - first * length : stop - first * length]


def _permutation(count: int, *seed: int) -> Int64Array:
    return np.random.default_rng(seed).permutation(count)
