"""The matrix task x access model x seed: every cell's scores and costs.

Nothing is done twice: each seed is an ordinary experiment of which the stages are cached, so that a run goes on from
where a former one ended, and seeds share what does not depend on them (collections, indexes, hits).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reml.comparison.costs import Costs, costs_of
from reml.contract.examples import Measure
from reml.evaluation.kilt import Evaluation
from reml.experiment.results import publish
from reml.experiment.runner import Runner

KINDS = ("R-precision", "recall@5", "downstream", "KILT score")


@dataclass(frozen=True, eq=False, slots=True)
class Cell:
    """One task read with one access model under one seed. report: of its experiment."""

    task: str
    access: str
    seed: int
    evaluation: Evaluation
    costs: Costs
    report: Path


@dataclass(frozen=True, eq=False, slots=True)
class Matrix:
    """All cells. measures: that KILT ranks each task by, in the order of the tasks."""

    measures: Mapping[str, Measure]
    accesses: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: tuple[Cell, ...]

    def of(self, task: str, access: str) -> list[Cell]:
        """Give the cells of a system on a task, one a seed."""
        return [cell for cell in self.cells if (cell.task, cell.access) == (task, access)]

    def name(self, kind: str, task: str) -> str:
        """Give KILT's name of a kind of figure for a task: `downstream` is `em` for one and `accuracy` for another."""
        measure = self.measures[task]
        return {"R-precision": "Rprec", "downstream": measure, "KILT score": f"KILT-{measure}"}.get(kind, kind)


def run_matrix(runners: Iterable[Runner], accesses: Sequence[str]) -> Matrix:
    """Fill the matrix, one runner a seed, each dropped before the next one is made."""
    cells: list[Cell] = []
    measures: dict[str, Measure] = {}
    seeds: list[int] = []
    for runner in runners:
        seeds.append(runner.experiment.seed)
        runner.stages.console.print(f"[bold]seed {seeds[-1]}[/bold]", highlight=False)
        measures = {task.name: task.measure for task in runner.experiment.tasks}
        cells += _cells(runner, accesses)
    return Matrix(measures, tuple(accesses), tuple(seeds), tuple(cells))


def _cells(runner: Runner, accesses: Sequence[str]) -> list[Cell]:
    tasks = [task.name for task in runner.experiment.tasks]
    runner.retrieve()
    runner.train()
    evaluations = {access: {task: runner.evaluate(access, task) for task in tasks} for access in accesses}
    report, seed = publish(runner, evaluations), runner.experiment.seed
    return [
        Cell(task, access, seed, evaluations[access][task], costs_of(runner, access, task), report)
        for task in tasks
        for access in accesses
    ]
