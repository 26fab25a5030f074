"""Whether systems differ: every two of them, on every task, by every kind of figure.

The unit is the example: its scores are averaged over seeds, and the pairs of averages are tested. So a difference that
is found speaks of other examples, not of other seeds; the intervals over seeds stand beside the means.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from reml.comparison.averages import example_scores
from reml.comparison.matrix import KINDS, Matrix
from reml.evaluation.significance import Interval, bootstrap_interval, holm, randomisation_test


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on a task by one kind of figure.

    difference: first minus second. interval: of the difference, 95 %, by bootstrap over examples. p: of the paired
    randomisation test, two-sided. corrected: by Holm's method over all tasks and pairs that this kind of figure has.
    """

    kind: str
    task: str
    first: str
    second: str
    difference: float
    interval: Interval
    p: float
    corrected: float


def comparisons(matrix: Matrix) -> list[Comparison]:
    """Compare every two systems; tasks with fewer than 2 scored examples are left out."""
    return [comparison for kind in KINDS for comparison in _family(matrix, kind)]


def _family(matrix: Matrix, kind: str) -> Iterator[Comparison]:
    scored = [task for task in matrix.measures if len(matrix.of(task, matrix.accesses[0])[0].evaluation) > 1]
    pairs = [(task, *pair) for task in scored for pair in itertools.combinations(matrix.accesses, 2)]
    scores = {
        (task, access): example_scores(matrix, task, access, kind=kind) for task in scored for access in matrix.accesses
    }
    tested = [randomisation_test(scores[task, first], scores[task, second]) for task, first, second in pairs]
    for (task, first, second), p, corrected in zip(pairs, tested, holm(tested), strict=True):
        one, other = scores[task, first], scores[task, second]
        interval = bootstrap_interval(one, other)
        yield Comparison(kind, task, first, second, float((one - other).mean()), interval, p, corrected)
