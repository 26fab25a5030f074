from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.testing import SamplerContract
from reml.training.data.neighbours import NeighbourBatches, Neighbours
from reml.training.data.samplers import Population, Uniform


def found(topics: Int64Array, k: int = 4) -> Int64Array:
    """Give the rows found for examples: k of the 6 items of each one's topic."""
    generator = np.random.default_rng(0)
    return np.stack([10 * topic + generator.choice(6, k, replace=False) for topic in topics])


TOPICS = np.arange(61) % 5
ROWS = found(TOPICS)


def shared(order: Int64Array, rows: Int64Array, batch: int) -> float:
    """Give the mean number of hits that two examples of a batch share."""
    held = [set(row.tolist()) for row in rows]
    pairs = [(one, two) for part in order.reshape(-1, batch) for one in part for two in part if one < two]
    return float(np.mean([len(held[one] & held[two]) for one, two in pairs]))


class TestNeighbourBatches(SamplerContract):
    count = 61

    def make(self) -> NeighbourBatches:
        return NeighbourBatches(ROWS, 4)


def test_batches_hold_nearer_examples_than_uniform_ones() -> None:
    near, uniform = NeighbourBatches(ROWS, 4).epoch(0, 0), Uniform(60).epoch(0, 0)
    assert shared(near, ROWS, 4) > 2.5  # two of a topic share 4 * 4 / 6 = 2.7, the nearest more
    assert shared(uniform, ROWS, 4) < 1.0


def test_what_shares_most_comes_first() -> None:
    """Examples 1, 2 and 3 share one, two and one hits with example 0 and none with each other."""
    rows = np.array([[1, 2, 3, 4], [1, 8, 9, -1], [2, 3, -1, -1], [4, 6, 7, -1]])
    pairs = [pair for n in range(20) for pair in NeighbourBatches(rows, 2).epoch(0, n).reshape(-1, 2).tolist()]
    chosen = [pair for pair in pairs if pair[0] == 0]
    assert chosen
    assert all(pair == [0, 2] for pair in chosen)


@given(some.integers(1, 40), some.integers(1, 9), some.integers(1, 5), some.integers(0, 3))
def test_an_epoch_is_made_of_full_batches_of_distinct_examples(count: int, batch: int, k: int, number: int) -> None:
    rows = np.random.default_rng(count).integers(-1, 9, (count, k))
    if batch > count:
        with pytest.raises(ValueError, match="fill no batch"):
            NeighbourBatches(rows, batch)
        return
    order = NeighbourBatches(rows, batch).epoch(3, number)
    assert len(order) == count - count % batch == len(set(order.tolist()))


def test_over_the_epochs_every_example_comes_even_one_that_shares_nothing() -> None:
    rows = np.where(np.arange(61)[:, None] == 7, -1, ROWS)
    seen = [set(NeighbourBatches(rows, 4).epoch(0, number).tolist()) for number in range(8)]
    assert set.union(*seen) == set(range(61))
    assert sum(7 in one for one in seen) > 4


def test_so_many_first_hits_say_what_is_near() -> None:
    asked: list[int] = []

    def best(k: int) -> Hits:
        asked.append(k)
        return Hits(ROWS[:, :k], np.zeros((61, k), dtype=np.float32))

    sampler = Neighbours(hits=2).make(Population([40, 21], 4, best))
    assert asked == [2]
    assert isinstance(sampler, NeighbourBatches)
    np.testing.assert_array_equal(sampler.rows, ROWS[:, :2])
    assert sampler.batch == 4
    with pytest.raises(ValueError, match="hits is 0"):
        Neighbours(hits=0)
