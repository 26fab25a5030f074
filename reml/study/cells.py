"""One cell of a study: what became of one condition with one seed on one task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reml.contract.examples import Measure
from reml.contract.tasks import Task
from reml.experiment.plan.store import Stage
from reml.experiment.results import retrieved_passages
from reml.experiment.runner import Runner
from reml.study.plan import FROZEN, Condition
from reml.training.loop.fit import METRICS
from reml.training.loop.metrics import read_metrics
from reml.training.loop.module import LOSS

# First passages in which an answer is looked for: what `reml.evaluation.passages` measures.
DEPTHS = (1, 5, 10, 20)
RECALL = "answer_recall@{}"
PASSAGES = ("passage_success_rate@1", "passage_success_rate@5", *map(RECALL.format, DEPTHS))


@dataclass(frozen=True, eq=False)
class Cell:
    """The scores of each example by measure, [N] each, and what the training cost; none for a frozen retriever.

    losses: of the training, by step.
    """

    condition: Condition
    seed: int
    task: str
    scores: Mapping[str, npt.NDArray[np.float64]]
    cost: Stage | None
    losses: tuple[tuple[int, float], ...] = ()

    def mean(self, measure: str) -> float:
        """Average a measure over the examples."""
        return float(self.scores[measure].mean())


def shown_measures(downstream: Measure) -> tuple[str, ...]:
    """Name the measures of a study's tables: of pages, of passages, of answers."""
    passages = (*PASSAGES[:2], RECALL.format(1), RECALL.format(5))
    return ("Rprec", *passages, downstream, f"KILT-{downstream}")


def measure_cell(runner: Runner, condition: Condition, task: Task) -> Cell:
    """Train, search, predict and score one condition, as far as that is not done."""
    evaluation = runner.evaluate(condition.access, task.name)
    passages = retrieved_passages(runner, condition.access, task.name)
    scores = {name: evaluation.values[name] for name in ("Rprec", task.measure, f"KILT-{task.measure}")}
    scores |= {name: passages.values[name] for name in PASSAGES}
    if condition.objective == FROZEN:
        return Cell(condition, runner.experiment.seed, task.name, scores, None)
    stage = runner.taught(condition.access, task.name)
    losses = tuple((step, value) for step, name, value in read_metrics(stage.folder / METRICS) if name == LOSS)
    return Cell(condition, runner.experiment.seed, task.name, scores, stage, losses)
