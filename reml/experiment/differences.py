"""Whether systems differ, of one experiment or of two.

The unit is the example: its scores are averaged over seeds, and the pairs of averages are tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from reml.contract.arguments.several import several
from reml.contract.vectors import Float64Array
from reml.devices.progress import tracked
from reml.evaluation.significance import bootstrap_interval, holm, randomisation_test
from reml.experiment.result_tables import difference_table
from reml.experiment.seed_results import SeedResults

if TYPE_CHECKING:
    import pyarrow

Runs = Sequence[SeedResults]
Pairs = Sequence[tuple[str, str]]


def differences(first: Runs, second: Runs, systems: Pairs, measures: Sequence[str]) -> pyarrow.Table:
    """Test differences, first minus second, of pairs of systems on the tasks that both have (`reml.compare`)."""
    several(systems, "systems")
    several(measures, "measures")
    asked = [
        (task, measure, one, other)
        for task in _common(first, second)
        for one, other in systems or _pairs(first, second)
        if _comparable(first, second, task, (one, other))
        for measure in measures or _measures(first, task)
    ]
    rows = [
        _row(task, measure, _scores(first, one, task, measure), _scores(second, other, task, measure), (one, other))
        for task, measure, one, other in tracked(asked, "test differences", unit="tests")
    ]
    if not rows:
        raise ValueError("no task has 2 or more scored examples, and fewer cannot be compared.")
    corrected = holm([row[-2] for row in rows])
    return difference_table([(*row[:-1], one, row[-1]) for row, one in zip(rows, corrected, strict=True)])


def _pairs(first: Runs, second: Runs) -> Pairs:
    own, others = list(first[0].evaluations), list(second[0].evaluations)
    both = [system for system in own if system in others]
    if both:
        return [(system, system) for system in both]
    if len(own) == len(others) == 1:
        return [(own[0], others[0])]
    raise ValueError(
        f"the results have no system of one name ({', '.join(own)}; {', '.join(others)}): say which to compare, as "
        "systems=[(FIRST, SECOND)]."
    )


def _common(first: Runs, second: Runs) -> list[str]:
    own, others = first[0].measures, second[0].measures
    both = [task for task in own if task in others]
    if not both:
        raise ValueError(f"the results have no task in common: {', '.join(own)}; {', '.join(others)}.")
    return both


def _measures(runs: Runs, task: str) -> Sequence[str]:
    measure = runs[0].measures[task]
    known = next(iter(runs[0].evaluations.values()))[task].measured
    return [name for name in ("Rprec", measure, f"KILT-{measure}") if name in known]


def _comparable(first: Runs, second: Runs, task: str, systems: tuple[str, str]) -> bool:
    """Tell whether there are 2 or more examples; `ValueError` unless all runs scored the same ones."""
    chosen = zip((first, second), systems, strict=True)
    ids = {run.evaluation(system, task).ids for runs, system in chosen for run in runs}
    if len(ids) > 1:
        raise ValueError(
            f"{systems[0]!r} and {systems[1]!r} are not scored on the same examples of {task!r} "
            f"({' and '.join(str(len(each)) for each in ids)} of them): compare results of the same split and limit."
        )
    return len(ids.pop()) > 1


def _scores(runs: Runs, system: str, task: str, measure: str) -> Float64Array:
    """Give each example's score, its mean over seeds, [N]."""
    found = [run.evaluation(system, task).values for run in runs]
    if measure not in found[0]:
        raise ValueError(f"there is no measure {measure!r}; there are {', '.join(found[0])}.")
    scores: Float64Array = np.mean([values[measure] for values in found], axis=0)
    return scores


def _row(
    task: str, measure: str, first: Float64Array, second: Float64Array, systems: tuple[str, str]
) -> tuple[str, str, str, str, float, float, float, float, float, float, int]:
    means, interval = (float(first.mean()), float(second.mean())), bootstrap_interval(first, second)
    tested = (interval.low, interval.high, randomisation_test(first, second))
    return (task, measure, *systems, *means, means[0] - means[1], *tested, len(first))
