from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit

from reml.index.compiling import part
from reml.index.sorting import offer, order_of, sort, sort_heap

FEW: tuple[list[int], ...] = (
    [],
    [3],
    [2, 1],
    [1, 2],
    [5, 5, 5],
    [-2, 7, -2, 0],
    [9, 8, 7, 6, 5, 4, 3, 2],
    [2**31 - 1, -(2**31)],
)


@njit
def _sorted(values: Any) -> None:
    sort(values)


@njit
def _ordered(values: Any) -> Any:
    return order_of(values)


@njit
def _largest(values: Any, heap: Any) -> None:
    for value in values:
        if value > heap[0]:
            offer(heap, value)
    sort_heap(heap)


def _check_sort(given: list[int]) -> None:
    values = np.array(given, dtype=np.int32)
    _sorted(values)
    assert values.tolist() == sorted(given)


@pytest.mark.parametrize("values", FEW)
def test_few_numbers_are_sorted(values: list[int]) -> None:
    _check_sort(values)


@given(st.lists(st.integers(-3, 40), max_size=300))
def test_numbers_are_sorted(values: list[int]) -> None:
    _check_sort(values)


def test_many_numbers_are_sorted() -> None:
    _check_sort(np.random.default_rng(0).integers(0, 5000, 50_000).tolist())


@given(st.lists(st.sampled_from([0.0, 1e-30, 0.5, 1.0, 2.5, np.inf]) | st.floats(0, 9), max_size=80))
def test_equal_numbers_are_ordered_as_they_stand(values: list[float]) -> None:
    found = _ordered(np.array(values, dtype=np.float64))
    assert found.tolist() == np.argsort(np.array(values), kind="stable").tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.uint64])
@pytest.mark.parametrize("k", [1, 2, 3, 10, 100])
@pytest.mark.parametrize("size", [0, 1, 9, 10, 250])
def test_the_largest_are_found_and_sorted(dtype: type[np.generic], k: int, size: int) -> None:
    values = np.random.default_rng(k * size).integers(1, 60, size).astype(dtype)
    heap = np.zeros(k, dtype=dtype)
    _largest(values, heap)
    assert heap.tolist() == [*sorted(values.tolist(), reverse=True), *[0] * k][:k]


def test_a_part_stays_a_function_of_python() -> None:
    def doubled(number: int) -> int:
        return 2 * number

    assert part(doubled) is doubled
    assert doubled(3) == 6
    assert njit(lambda number: doubled(number) + 1)(3) == 7
