"""Whether systems differ: every two of them, or each way to train one, its controls and the other ways.

The unit is the example: its scores are averaged over seeds, and the pairs of averages are tested. So a difference that
is found speaks of other examples, not of other seeds; the intervals over seeds stand beside the means.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from reml.comparison.conditions import Condition, controls
from reml.comparison.matrix import KINDS, Matrix
from reml.evaluation.significance import Interval, differences

Pair = tuple[str, str, str]  # a task, and two systems on it


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two systems on a task by one kind of figure.

    difference: first minus second. interval: of the difference, 95 %, by bootstrap over examples. p: of the paired
    randomisation test, two-sided. corrected: by Holm's method over the family that it was tested in.
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
    """Compare every two systems; tasks with fewer than 2 scored examples are left out.

    A family is all tasks and pairs that one kind of figure has; a task without such figures is none of it.
    """
    scored = [task for task in matrix.measures if len(matrix.of(task, matrix.accesses[0])[0]) > 1]
    pairs = [(task, *pair) for task in scored for pair in itertools.combinations(matrix.accesses, 2)]
    families = {kind: [pair for pair in pairs if matrix.has(kind, pair[0])] for kind in KINDS}
    return [comparison for kind, family in families.items() for comparison in _family(matrix, kind, family)]


def gains(matrix: Matrix, conditions: Sequence[Condition], task: str, measure: str) -> list[Comparison]:
    """Compare every condition that learns with its controls, in the order of the conditions.

    A family is all gains over the same control on the task by the measure.
    """
    pairs = [(one, over) for one in conditions if one.learns for over in controls(conditions, one)]
    found: dict[Pair, Comparison] = {}
    for control in dict.fromkeys(over.control for _, over in pairs):
        family = [(task, one.access, over.access) for one, over in pairs if over.control == control]
        found.update(zip(family, _family(matrix, measure, family), strict=True))
    return [found[task, one.access, over.access] for one, over in pairs]


def rivals(matrix: Matrix, conditions: Sequence[Condition], task: str, measure: str) -> list[Comparison]:
    """Compare every two conditions of one learner that learn, the earlier minus the later, on a task by a measure.

    A family is all of them, of every learner.
    """
    pairs = itertools.combinations([one for one in conditions if one.learns], 2)
    return _family(
        matrix, measure, [(task, one.access, other.access) for one, other in pairs if one.learner == other.learner]
    )


def _family(matrix: Matrix, kind: str, pairs: Sequence[Pair]) -> list[Comparison]:
    places = {(task, system) for task, *systems in pairs for system in systems}
    scores = {place: matrix.scores(*place, kind) for place in places}
    aligned = [(scores[task, first], scores[task, second]) for task, first, second in pairs]
    return [
        Comparison(kind, *pair, one.mean, one.interval, one.p, one.corrected)
        for pair, one in zip(pairs, differences(aligned), strict=True)
    ]
