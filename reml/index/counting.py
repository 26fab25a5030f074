"""A kernel that counts how often each number stands in each of many short lists."""

from __future__ import annotations

import numpy as np
from numba import njit

from reml.types import Int32Array, Int64Array


@njit(cache=True, nogil=True)
def count_terms(
    numbers: Int32Array, lengths: Int64Array
) -> tuple[Int64Array, Int32Array, Int32Array]:  # pragma: no cover - compiled
    """Give CSR (indptr, ascending numbers, counts) of lists that lie one behind the other, without numbers below 0."""
    indptr = np.zeros(len(lengths) + 1, dtype=np.int64)
    distinct = np.empty(len(numbers), dtype=np.int32)
    counts = np.empty(len(numbers), dtype=np.int32)
    start = size = 0
    for row in range(len(lengths)):
        ordered = np.sort(numbers[start : start + lengths[row]])
        last = -1
        for number in ordered:
            if number == last and number >= 0:
                counts[size - 1] += 1
            elif number >= 0:
                distinct[size], counts[size] = number, 1
                size += 1
            last = number
        start += lengths[row]
        indptr[row + 1] = size
    return indptr, distinct[:size].copy(), counts[:size].copy()
