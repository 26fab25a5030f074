"""The figures of a system on a task: means over seeds, and how far they can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reml.comparison.matrix import KINDS, Matrix
from reml.evaluation.significance import Float64Array, mean_interval


@dataclass(frozen=True, slots=True)
class Average:
    """The mean of a figure over seeds; `half` is half its 95 % interval (Student's t), with one seed there is none."""

    mean: float
    half: float | None

    @classmethod
    def of(cls, values: list[float]) -> Average:
        """Average the values of one seed or more."""
        mean = float(np.mean(values))
        return cls(mean, mean_interval(values).high - mean if len(values) > 1 else None)


def averages(matrix: Matrix, task: str, access: str) -> dict[str, Average]:
    """Give each kind of figure; nothing for a task of which no example has a right answer."""
    cells = matrix.of(task, access)
    if not len(cells[0].evaluation):
        return {}
    names = {kind: matrix.name(kind, task) for kind in KINDS}
    return {kind: Average.of([cell.evaluation.mean(name) for cell in cells]) for kind, name in names.items()}


def example_scores(matrix: Matrix, task: str, access: str, *, kind: str) -> Float64Array:
    """Give each example's figure, its mean over seeds, [N]."""
    name = matrix.name(kind, task)
    scores: Float64Array = np.mean([cell.evaluation.values[name] for cell in matrix.of(task, access)], axis=0)
    return scores
