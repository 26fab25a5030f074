from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from reml.testing import SamplerContract
from reml.training.data.samplers import PerTask, Temperature, Uniform, stretch


class TestUniform(SamplerContract):
    count = 50

    def make(self) -> Uniform:
        return Uniform(50)


class TestPerTask(SamplerContract):
    count = 110

    def make(self) -> PerTask:
        return PerTask([100, 10], number=20)


class TestTemperature(SamplerContract):
    count = 50

    def make(self) -> Temperature:
        return Temperature([40, 10], 2.0)


def test_an_epoch_holds_every_example_once_in_an_order_of_its_own() -> None:
    order = Uniform(50)
    first, second = order.epoch(1, 0), order.epoch(1, 1)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first.tolist() != second.tolist()


def test_a_fixed_number_comes_from_each_group() -> None:
    order = PerTask([100, 3, 10], number=5)
    assert len(order) == 15
    for epoch in range(4):
        groups = Counter(np.searchsorted([100, 103], order.epoch(0, epoch), side="right").tolist())
        assert groups == {0: 5, 1: 5, 2: 5}


def test_over_the_epochs_all_examples_of_a_group_are_seen_equally_often() -> None:
    order = PerTask([10, 3], number=5)
    seen = Counter(position for epoch in range(6) for position in order.epoch(0, epoch).tolist())
    assert {seen[position] for position in range(10)} == {3}  # 6 epochs of 5 are 3 rounds of 10
    assert {seen[position] for position in range(10, 13)} == {10}


def test_groups_are_mixed_and_every_epoch_is_another() -> None:
    order = PerTask([100, 100], number=50)
    first = order.epoch(0, 0)
    assert 0 < (first[:50] < 100).sum() < 50
    assert first.tolist() == order.epoch(0, 0).tolist()
    assert first.tolist() != order.epoch(0, 1).tolist()


@pytest.mark.parametrize(("sizes", "number"), [([3, 0], 2), ([3, 3], 0)])
def test_nothing_cannot_be_taken_from(sizes: list[int], number: int) -> None:
    with pytest.raises(ValueError, match="1 or more"):
        PerTask(sizes, number)


@pytest.mark.parametrize(
    ("temperature", "quotas"),
    [(1.0, [90, 10]), (2.0, [75, 25]), (float("inf"), [50, 50])],  # 90 : 10, 3 : 1, 1 : 1
)
def test_temperature_sets_the_shares(temperature: float, quotas: list[int]) -> None:
    order = Temperature([90, 10], temperature)
    assert order.quotas == quotas
    assert len(order) == 100
    for epoch in range(3):
        assert (order.epoch(0, epoch) < 90).sum() == quotas[0]


@given(some.lists(some.integers(1, 60), min_size=1, max_size=6), some.floats(1, 8))
def test_shares_are_those_of_the_formula_and_fill_the_epoch(sizes: list[int], temperature: float) -> None:
    order = Temperature(sizes, temperature)
    weights = [size ** (1 / temperature) for size in sizes]
    assert len(order.epoch(3, 0)) == sum(order.quotas) == sum(sizes)
    for weight, quota in zip(weights, order.quotas, strict=True):
        assert abs(quota - sum(sizes) * weight / sum(weights)) < 1


def test_a_tempered_epoch_is_a_function_of_seed_and_number_and_goes_through_each_group() -> None:
    order = Temperature([12, 4], 2.0)  # shares of sqrt(12) and sqrt(4) in 16: 10.1 and 5.9
    assert order.quotas == [10, 6]
    assert order.epoch(1, 3).tolist() == Temperature([12, 4], 2.0).epoch(1, 3).tolist()
    assert order.epoch(1, 3).tolist() != order.epoch(2, 3).tolist()
    seen = Counter(position for epoch in range(6) for position in order.epoch(1, epoch).tolist())
    assert {seen[position] for position in range(12)} == {5}  # 6 epochs of 10 are 5 rounds of 12
    assert {seen[position] for position in range(12, 16)} == {9}


@pytest.mark.parametrize(
    ("sizes", "temperature", "named"),
    [([3, 3], 0.5, "temperature is 0.5"), ([3, 3], float("nan"), "temperature is nan"), ([3, 0], 2.0, "1 or more")],
)
def test_what_cannot_be_tempered_is_said(sizes: list[int], temperature: float, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Temperature(sizes, temperature)


@given(some.integers(1, 7), some.integers(0, 30), some.integers(1, 30))
def test_a_stretch_is_a_cut_of_the_endless_sequence(length: int, start: int, count: int) -> None:
    endless = np.concatenate([np.arange(length) + 100 * turn for turn in range(70)])
    cut = stretch(start, start + count, length, lambda turn: np.arange(length) + 100 * turn)
    np.testing.assert_array_equal(cut, endless[start : start + count])
