"""What a study measures of each condition: pages, passages, answers, and what its training cost."""

from __future__ import annotations

from collections.abc import Sequence

from reml.comparison.matrix import Cell, Matrix
from reml.contract.tasks import Task
from reml.evaluation.kilt import KILT
from reml.evaluation.metrics import metric_of
from reml.experiment.costs import Costs
from reml.experiment.results import retrieved_passages
from reml.experiment.runner import Runner
from reml.training.loop.fit import METRICS
from reml.training.loop.metrics import read_metrics
from reml.training.loop.module import LOSS

# First passages in which an answer is looked for: what `reml.evaluation.passages` measures.
DEPTHS = (1, 5, 10, 20)
RECALL = "answer_recall@{}"
PASSAGES = ("passage_success_rate@1", "passage_success_rate@5", *map(RECALL.format, DEPTHS))


def shown_measures(matrix: Matrix, task: str) -> tuple[str, ...]:
    """Name the measures of a study's tables: of pages, of passages, of answers."""
    kinds = ("Rprec", *PASSAGES[:2], RECALL.format(1), RECALL.format(5), "downstream", "KILT score")
    return tuple(matrix.name(kind, task) for kind in kinds if matrix.has(kind, task))


def taught_cells(runner: Runner, accesses: Sequence[str]) -> list[Cell]:
    """Train, search, predict and score conditions, as far as that is not done; costs are of one training alone."""
    return [_cell(runner, access, task) for access in accesses for task in runner.experiment.tasks]


def _cell(runner: Runner, access: str, task: Task) -> Cell:
    evaluation = runner.evaluate(access, task.name)
    passages = retrieved_passages(runner, access, task.name)
    headline = metric_of(task).headline
    measured = {**evaluation.measured, **passages.measured}
    names = ("Rprec", headline, f"{KILT}{headline}", *PASSAGES)
    scores = {name: measured[name] for name in names if name in measured}
    seed = runner.experiment.seed
    if runner.experiment.access[access].feedback is None:
        return Cell(task.name, access, seed, scores)
    stage = runner.taught(access, task.name)
    losses = tuple((step, value) for step, name, value in read_metrics(stage.folder / METRICS) if name == LOSS)
    costs = Costs(train=stage.seconds, peak_memory_bytes=stage.peak_memory_bytes)
    return Cell(task.name, access, seed, scores, costs, losses)
