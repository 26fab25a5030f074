"""Kernels that sort short arrays.

NumPy's own sorts and partitions, which numba has too, take it 2 to 6 seconds each to compile.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reml.contract.vectors import Int32Array, Int64Array
from reml.index.compiling import part


@part
def sort(values: Int32Array) -> None:  # pragma: no cover - compiled
    """Sort in place, smallest first: Shell's sort (CACM 1959) with the gaps of Gonnet and Baeza-Yates."""
    gap = len(values)
    while gap > 1:
        gap = max(5 * gap // 11, 1)
        for last in range(gap, len(values)):
            value, place = values[last], last
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value


@part
def order_of(values: npt.NDArray[np.float64]) -> Int64Array:  # pragma: no cover - compiled
    """Give the places of values, that of the smallest first, of equal ones the first."""
    order, gap = np.arange(len(values)), len(values)
    while gap > 1:
        gap = max(5 * gap // 11, 1)
        for last in range(gap, len(order)):
            this, place = order[last], last
            while place >= gap and _behind(values, order[place - gap], this):
                order[place] = order[place - gap]
                place -= gap
            order[place] = this
    return order


@part
def _behind(values: npt.NDArray[np.float64], one: int, other: int) -> bool:  # pragma: no cover - compiled
    return values[one] > values[other] or (values[one] == values[other] and one > other)


@part
def offer(heap: npt.NDArray[Any], key: Any) -> None:  # pragma: no cover - compiled
    """Put a key in the place of the smallest one, heap[0], which is smaller."""
    place = 0
    while True:
        child = 2 * place + 1
        if child >= len(heap):
            break
        if child + 1 < len(heap) and heap[child + 1] < heap[child]:
            child += 1
        if heap[child] >= key:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = key


@part
def sort_heap(heap: npt.NDArray[Any]) -> None:  # pragma: no cover - compiled
    """Sort a heap, largest first."""
    for last in range(len(heap) - 1, 0, -1):
        key = heap[last]
        heap[last] = heap[0]
        offer(heap[:last], key)
