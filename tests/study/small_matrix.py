"""Four conditions of one learner on sixteen examples and two seeds, with scores that a reader can compute with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.comparison.conditions import Condition
from reml.comparison.matrix import Cell, Matrix
from reml.experiment.costs import NOTHING, Costs
from reml.study.cells import PASSAGES

FROZEN, PDIST, UNTRAINED, LOOP = (
    Condition("d"),
    Condition("d", "pdist"),
    Condition("d", "pdist", "untrained"),
    Condition("d", "loop"),
)
# One example in two is found by the frozen retriever; the objective finds all but the last, by seed 0, or all, by 1.
SCORES = {
    FROZEN: ([1, 0] * 8, [1, 0] * 8),
    UNTRAINED: ([1, 0] * 8, [0, 1] * 8),
    PDIST: ([1] * 15 + [0], [1] * 16),
    LOOP: ([1, 0] * 7 + [1, 1], [1, 0] * 8),
}
CONDITIONS = {condition.access: condition for condition in SCORES}


def cell(condition: Condition, seed: int, values: list[int]) -> Cell:
    scores = {name: np.array(values, dtype=np.float64) for name in ("Rprec", *PASSAGES)}
    costs = NOTHING if condition == FROZEN else Costs(train=2.0 + seed, peak_memory_bytes=1 << 20)
    return Cell("t", condition.access, seed, scores, costs, ((1, 0.5), (2, 0.25)))


def matrix() -> Matrix:
    cells = [cell(one, seed, values) for one, both in SCORES.items() for seed, values in enumerate(both)]
    return Matrix({"t": "em"}, tuple(CONDITIONS), {0: Path("small-0"), 1: Path("small-1")}, tuple(cells))
