"""In which order examples are learnt from: a function of the seed and the epoch, so that any step can be resumed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array


class Sampler(Protocol):
    """An order of positions in a training set, new in every epoch."""

    def __len__(self) -> int:
        """Count the positions of an epoch."""

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give the positions of epoch `number`, from 0; the same for the same seed and number."""


@dataclass(frozen=True, eq=False)
class Population:
    """What a sampler chooses from: N examples in groups, and what was found for them.

    sizes: how many examples each group (a task) has, in the order they stand in the training set. batch: how many
    examples learn from each other, on all devices together: a step, or its part where gradients accumulate. found:
    gives the k best hits of each example, [N, k], all of one collection; `ValueError` where nothing searched for them.
    """

    sizes: Sequence[int]
    batch: int
    found: Callable[[int], Hits]


@runtime_checkable
class SamplerMaker(Protocol):
    """What a configuration names as a sampler: settings that make one for a training set."""

    def make(self, population: Population) -> Sampler:
        """Make the sampler; its positions count through the groups one after the other."""


@dataclass(frozen=True)
class Uniform:
    """Every one of `count` examples once an epoch."""

    count: int

    def __len__(self) -> int:
        return self.count

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give a permutation of all positions."""
        return _permutation(self.count, seed, number)


@dataclass(frozen=True)
class PerTask:
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
        return _from_groups(self.sizes, [self.number] * len(self.sizes), seed, number)


@dataclass(frozen=True)
class Temperature:
    """Examples of each group in proportion to n^(1 / T), n being the group's size and T the temperature.

    An epoch has as many positions as there are examples. T = 1 is in proportion to size; the higher T is, the more
    equal are the shares, and infinity makes them equal. T5 calls it temperature-scaled mixing (Raffel et al., JMLR
    2020, section 3.5.2). Each group is gone through as by `PerTask`.
    """

    sizes: Sequence[int]
    temperature: float

    def __post_init__(self) -> None:
        if not self.temperature >= 1:
            raise ValueError(f"temperature is {self.temperature}, but must be 1 (shares as of sizes) or more.")
        if any(size < 1 for size in self.sizes):
            raise ValueError(f"groups with {list(self.sizes)} examples: each needs 1 or more.")

    def __len__(self) -> int:
        return sum(self.sizes)

    @property
    def quotas(self) -> list[int]:
        """How many examples of each group an epoch has; what rounding leaves goes to the largest remainders."""
        weights = np.asarray(self.sizes, dtype=np.float64) ** (1 / self.temperature)
        exact = len(self) * weights / weights.sum()
        quotas = np.floor(exact + 1e-9).astype(np.int64)
        largest = np.argsort(quotas - exact, kind="stable")[: len(self) - int(quotas.sum())]
        quotas[largest] += 1
        return [int(quota) for quota in quotas]

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give the positions of each group's share, all shuffled together."""
        return _from_groups(self.sizes, self.quotas, seed, number)


def _from_groups(sizes: Sequence[int], quotas: Sequence[int], seed: int, number: int) -> Int64Array:
    """Take the next `quotas` positions of each group's own endless shuffled sequence, and shuffle them together."""

    def taken(group: int, size: int, quota: int) -> Int64Array:
        return stretch(number * quota, (number + 1) * quota, size, lambda turn: _permutation(size, seed, turn, group))

    starts = np.cumsum([0, *sizes[:-1]])
    chosen = [starts[group] + taken(group, size, quotas[group]) for group, size in enumerate(sizes)]
    return np.concatenate(chosen)[_permutation(sum(quotas), seed, number)]


def stretch(start: int, stop: int, length: int, turn: Callable[[int], Int64Array]) -> Int64Array:
    """Cut [start, stop) out of the endless sequence turn(0), turn(1), ..., each of `length` positions."""
    first, last = start // length, (stop - 1) // length
    turns = np.concatenate([turn(number) for number in range(first, last + 1)])
    return turns[start - first * length : stop - first * length]


def _permutation(count: int, *seed: int) -> Int64Array:
    return np.random.default_rng(seed).permutation(count)
