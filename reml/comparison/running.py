"""Fills a matrix by running an experiment under every seed.

Nothing is done twice: each seed is an ordinary experiment of which the stages are cached, so that a run goes on from
where a former one ended, and seeds share what does not depend on them (collections, indexes, hits).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from reml.comparison.matrix import RANKED_BY, Cell, Matrix
from reml.contract.tasks import Task
from reml.evaluation.metrics import metric_of
from reml.experiment.run import finish
from reml.experiment.runner import Runner
from reml.reporting.terminal import say


def run_matrix(
    runners: Iterable[Runner], accesses: Sequence[str], cells_of: Callable[[Runner, Sequence[str]], list[Cell]]
) -> Matrix:
    """Fill the matrix, one runner a seed, each dropped before the next one is made unless the caller keeps it.

    cells_of: runs an experiment as far as it is not done and gives its cells of the access models named.
    """
    cells: list[Cell] = []
    measures: dict[str, str] = {}
    runs: dict[int, Path] = {}
    for runner in runners:
        runs[runner.experiment.seed] = runner.folder
        say(runner.stages.console, (f"seed {runner.experiment.seed}", "bold"))
        measures = {task.name: _headline(runner, task) for task in runner.experiment.tasks}
        cells += cells_of(runner, accesses)
    return Matrix(measures, tuple(accesses), runs, tuple(cells))


def published_cells(runner: Runner, accesses: Sequence[str]) -> list[Cell]:
    """Run a whole experiment and write its result folder; a cell counts all that its parts cost."""
    found = finish(runner, accesses)
    return [
        Cell(task, access, found.seed, found.evaluations[access][task].measured, found.costs[access, task])
        for task in found.measures
        for access in accesses
    ]


def _headline(runner: Runner, task: Task) -> str:
    """Give what a task is ranked by: its own measure of answers, or of pages where nothing is predicted."""
    return metric_of(task).headline if runner.experiment.makers else RANKED_BY
