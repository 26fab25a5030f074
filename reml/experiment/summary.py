"""The table an experiment ends with: access model x task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reml.contract.tasks import Task
from reml.evaluation.kilt import KILT, Evaluation
from reml.evaluation.metrics import metric_of
from reml.reporting.table import Table

COLUMNS = ("task", "access", "n", "R-prec", "measure", "score", "KILT")
WORDS = frozenset({"task", "access", "measure"})


def summary(tasks: Sequence[Task], evaluations: Mapping[str, Mapping[str, Evaluation]]) -> Table:
    """Show R-precision, the measure a task is ranked by, and its KILT score: a row for each task and access model.

    A task whose examples have no right answers is not scored: n is 0.
    """
    rows = []
    for task in tasks:
        measure = metric_of(task).headline
        for access, by_task in evaluations.items():
            scores = by_task[task.name]
            precision, downstream, kilt = (_shown(scores, name) for name in ("Rprec", measure, f"{KILT}{measure}"))
            rows.append((task.name, access, str(len(scores)), precision, measure, downstream, kilt))
    return Table(COLUMNS, WORDS, rows, apart="task")


def _shown(scores: Evaluation, name: str) -> str:
    return f"{scores.mean(name):.3f}" if scores.measures(name) else "-"
