from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from reml.training.order import FromEach, Shuffled, stretch


def test_an_epoch_holds_every_example_once_in_an_order_of_its_own() -> None:
    order = Shuffled(50)
    first, second = order.epoch(1, 0), order.epoch(1, 1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist()


def test_the_order_follows_from_seed_and_epoch_alone() -> None:
    assert Shuffled(50).epoch(1, 3).tolist() == Shuffled(50).epoch(1, 3).tolist()
    assert Shuffled(50).epoch(1, 3).tolist() != Shuffled(50).epoch(2, 3).tolist()


def test_a_fixed_number_comes_from_each_group() -> None:
    order = FromEach([100, 3, 10], number=5)
    assert len(order) == 15
    for epoch in range(4):
        groups = Counter(np.searchsorted([100, 103], order.epoch(0, epoch), side="right").tolist())
        assert groups == {0: 5, 1: 5, 2: 5}


def test_over_the_epochs_all_examples_of_a_group_are_seen_equally_often() -> None:
    order = FromEach([10, 3], number=5)
    seen = Counter(position for epoch in range(6) for position in order.epoch(0, epoch).tolist())
    assert {seen[position] for position in range(10)} == {3}  # 6 epochs of 5 are 3 rounds of 10
    assert {seen[position] for position in range(10, 13)} == {10}


def test_groups_are_mixed_and_every_epoch_is_another() -> None:
    order = FromEach([100, 100], number=50)
    first = order.epoch(0, 0)
    assert 0 < (first[:50] < 100).sum() < 50
    assert first.tolist() == order.epoch(0, 0).tolist()
    assert first.tolist() != order.epoch(0, 1).tolist()


@pytest.mark.parametrize(("sizes", "number"), [([3, 0], 2), ([3, 3], 0)])
def test_nothing_cannot_be_taken_from(sizes: list[int], number: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        FromEach(sizes, number)


@given(some.integers(1, 7), some.integers(0, 30), some.integers(1, 30))
def test_a_stretch_is_a_cut_of_the_endless_sequence(length: int, start: int, count: int) -> None:
    endless = np.concatenate([np.arange(length) + 100 * turn for turn in range(70)])
    cut = stretch(start, start + count, length, lambda turn: np.arange(length) + 100 * turn)
    np.testing.assert_array_equal(cut, endless[start : start + count])
