"""A kernel that counts how often each number stands in each of many short lists."""

from __future__ import annotations

import numpy as np

from reml.contract.vectors import Int32Array, Int64Array
from reml.index.compiling import kernel
from reml.index.sorting import sort


@kernel
def count_terms(
    numbers: Int32Array, sizes: Int64Array, stopped: int
) -> tuple[Int64Array, Int32Array, Int32Array, Int64Array]:  # pragma: no cover - compiled
    """Count the numbers from 0 on in each of many lists that lie one behind the other, of these sizes.

    Give CSR (indptr, ascending numbers, counts) and, for each list, how many of its numbers are not `stopped`.
    """
    indptr = np.zeros(len(sizes) + 1, dtype=np.int64)
    distinct = np.empty(len(numbers), dtype=np.int32)
    counts = np.empty(len(numbers), dtype=np.int32)
    lengths = np.zeros(len(sizes), dtype=np.int64)
    start = size = 0
    for row in range(len(sizes)):
        ordered = numbers[start : start + sizes[row]].copy()
        sort(ordered)
        last = -1
        for number in ordered:
            if number == last and number >= 0:
                counts[size - 1] += 1
            elif number >= 0:
                distinct[size], counts[size] = number, 1
                size += 1
            lengths[row] += number != stopped
            last = number
        start += sizes[row]
        indptr[row + 1] = size
    return indptr, distinct[:size].copy(), counts[:size].copy(), lengths
