"""What the cells of a study say together: means over seeds, and gains over the controls with their significance.

A mean's interval is Student's over the seeds; it tells how much another seed would change, not another set of examples.
A gain is a difference of scores on the same examples, averaged over seeds; its interval is a bootstrap over examples
and its p-value that of the paired randomisation test, corrected by Holm over all gains over the same control on the
same task by the same measure (`reml.evaluation.significance`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reml.evaluation.significance import Interval, bootstrap_interval, holm, randomisation_test
from reml.study.cells import Cell
from reml.study.plan import FROZEN, Condition

LEVEL = 0.95


@dataclass(frozen=True)
class Average:
    """A mean over seeds, and its interval where there are two seeds or more."""

    mean: float
    interval: Interval | None


@dataclass(frozen=True)
class Gain:
    """What a condition gains over a control of the same learner. corrected: the p-value after Holm's correction."""

    condition: Condition
    over: Condition
    task: str
    measure: str
    difference: float
    interval: Interval
    p: float
    corrected: float


def average(values: Sequence[float]) -> Average:
    """Average over seeds; `ValueError` if there are none."""
    if not values:
        raise ValueError("there are no values to average.")
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Average(mean, None)
    # scipy takes half a second to import.
    from scipy import stats

    half = float(stats.t.ppf((1 + LEVEL) / 2, count - 1) * np.std(values, ddof=1) / np.sqrt(count))
    return Average(mean, Interval(mean - half, mean + half))


def of_condition(cells: Sequence[Cell], condition: Condition, task: str) -> list[Cell]:
    """Choose the cells of all seeds."""
    return [cell for cell in cells if cell.condition == condition and cell.task == task]


def controls(conditions: Sequence[Condition], condition: Condition) -> list[Condition]:
    """List what a condition is compared with: the frozen retriever, and its own controls."""
    own = [one for one in conditions if one.learner == condition.learner and one.objective == condition.objective]
    return [Condition(condition.learner), *(one for one in own if one.control)]


def gains(cells: Sequence[Cell], task: str, measure: str) -> list[Gain]:
    """Compare every objective and reference with its controls, in the order of the cells."""
    conditions = list(dict.fromkeys(cell.condition for cell in cells if cell.task == task))
    learning = [one for one in conditions if one.objective != FROZEN and not one.control]
    pairs = [(one, over) for one in learning for over in controls(conditions, one)]
    scores = {one: _scores(of_condition(cells, one, task), measure) for one in conditions}
    p_values = {pair: randomisation_test(scores[pair[0]], scores[pair[1]]) for pair in pairs}
    corrected: dict[tuple[Condition, Condition], float] = {}
    for kind in dict.fromkeys(over.control for _, over in pairs):
        family = [pair for pair in pairs if pair[1].control == kind]
        corrected.update(zip(family, holm([p_values[pair] for pair in family]), strict=True))
    return [
        Gain(
            condition=one,
            over=over,
            task=task,
            measure=measure,
            difference=float((scores[one] - scores[over]).mean()),
            interval=bootstrap_interval(scores[one], scores[over], level=LEVEL),
            p=p_values[one, over],
            corrected=corrected[one, over],
        )
        for one, over in pairs
    ]


def _scores(cells: Sequence[Cell], measure: str) -> npt.NDArray[np.float64]:
    """Average the scores of each example over seeds."""
    scores: npt.NDArray[np.float64] = np.mean([cell.scores[measure] for cell in cells], axis=0)
    return scores
