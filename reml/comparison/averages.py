"""The figures of a system on a task: means over seeds, and how far they can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reml.comparison.matrix import KINDS, Matrix
from reml.evaluation.significance import mean_interval


@dataclass(frozen=True, slots=True)
class Average:
    """The mean of a figure over seeds; `half` is half its 95 % interval (Student's t), with one seed there is none."""

    mean: float
    half: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Average:
        """Average the values of one seed or more, NaN where nothing was scored; `ValueError` if there are none."""
        if not values:
            raise ValueError("there are no values to average: give those of one seed or more.")
        mean = float(np.mean(values))
        return cls(mean, mean_interval(values).high - mean if len(values) > 1 and math.isfinite(mean) else None)


def average(matrix: Matrix, task: str, access: str, kind: str) -> Average:
    """Average one figure over seeds. kind: of figure, or a measure."""
    name = matrix.name(kind, task)
    return Average.of([cell.mean(name) for cell in matrix.of(task, access)])


def averages(matrix: Matrix, task: str, access: str) -> dict[str, Average]:
    """Give each kind of figure; nothing for a task of which no example has a right answer."""
    if not len(matrix.of(task, access)[0]):
        return {}
    return {kind: average(matrix, task, access, kind) for kind in KINDS if matrix.has(kind, task)}
