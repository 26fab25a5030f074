"""Gradients without autograd: central differences of a function of plain lists."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor

Row = list[float]
Rows = list[Row]


def difference_gradient(loss: Callable[[Rows], float], at: Tensor, step: float = 1e-5) -> Rows:
    """Differentiate `loss` of a [B, K] table at each of its places."""
    table: Rows = at.tolist()

    def moved(example: int, item: int, by: float) -> float:
        copy = [list(row) for row in table]
        copy[example][item] += by
        return loss(copy)

    return [
        [(moved(b, k, step) - moved(b, k, -step)) / (2 * step) for k in range(len(row))] for b, row in enumerate(table)
    ]


def softmax(values: Row, temperature: float = 1.0) -> Row:
    """Normalise by the definition, without the usual care for large numbers."""
    powers = [math.exp(value / temperature) for value in values]
    return [power / sum(powers) for power in powers]


def shown(row: Row, mask: list[bool]) -> Row:
    """Drop what the mask hides."""
    return [value for value, keep in zip(row, mask, strict=True) if keep]
