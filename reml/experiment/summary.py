"""The table an experiment ends with: access model x task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reml.contract.tasks import Task
from reml.evaluation.kilt import Evaluation
from reml.reporting.table import Table

COLUMNS = ("task", "access", "n", "R-prec", "measure", "score", "KILT")
WORDS = frozenset({"task", "access", "measure"})


def summary(tasks: Sequence[Task], evaluations: Mapping[str, Mapping[str, Evaluation]]) -> Table:
    """Show R-precision, the measure KILT ranks a task by, and its KILT score: a row for each task and access model.

    A task whose examples have no right answers is not scored: n is 0.
    """
    rows = []
    for task in tasks:
        for access, by_task in evaluations.items():
            scores = by_task[task.name]
            values = (scores.mean("Rprec"), scores.downstream(task.measure), scores.kilt(task.measure))
            precision, downstream, kilt = (f"{value:.3f}" if len(scores) else "-" for value in values)
            rows.append((task.name, access, str(len(scores)), precision, task.measure, downstream, kilt))
    return Table(COLUMNS, WORDS, rows, apart="task")
