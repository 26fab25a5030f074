"""The matrix task x access model x seed: every cell's scores and costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from reml.contract.vectors import Float64Array
from reml.evaluation.kilt import KILT, MEASURES
from reml.experiment.costs import NOTHING, Costs

# What systems are ranked by where nothing is predicted from the pages that they find.
RANKED_BY = "nDCG@10"
KINDS = ("R-precision", "recall@5", "downstream", "KILT score")


@dataclass(frozen=True, eq=False, slots=True)
class Cell:
    """One task read with one access model under one seed.

    scores: of each example by measure, [N]. losses: of the access model's training, by step, where it learns.
    """

    task: str
    access: str
    seed: int
    scores: Mapping[str, Float64Array]
    costs: Costs = NOTHING
    losses: tuple[tuple[int, float], ...] = ()

    def __len__(self) -> int:
        """How many examples are scored."""
        return len(next(iter(self.scores.values())))

    def mean(self, measure: str) -> float:
        """Average a measure over the examples; NaN if there are none."""
        return float(self.scores[measure].mean()) if len(self) else math.nan


@dataclass(frozen=True, eq=False, slots=True)
class Matrix:
    """All cells. measures: what each task is ranked by, in the order of the tasks. runs: result folders by seed."""

    measures: Mapping[str, str]
    accesses: tuple[str, ...]
    runs: Mapping[int, Path]
    cells: tuple[Cell, ...]

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, in the order they were run in."""
        return tuple(self.runs)

    def of(self, task: str, access: str) -> list[Cell]:
        """Give the cells of a system on a task, one a seed."""
        return [cell for cell in self.cells if (cell.task, cell.access) == (task, access)]

    def name(self, kind: str, task: str) -> str:
        """Give the measure of a kind of figure for a task: `downstream` is `em` for one and `accuracy` for another.

        What is no kind is a measure itself.
        """
        measure = self.measures[task]
        return {"R-precision": "Rprec", "downstream": measure, "KILT score": f"{KILT}{measure}"}.get(kind, kind)

    def has(self, kind: str, task: str) -> bool:
        """Tell whether a task has such figures: the metric of a task's own need not give a KILT score."""
        return self.name(kind, task) in self.of(task, self.accesses[0])[0].scores

    def ranking(self, task: str) -> str:
        """Give the kind of figure that systems are ranked by on a task."""
        return "KILT score" if self.has("KILT score", task) else "downstream"

    def scale(self, kind: str, task: str) -> int:
        """Give what to multiply a figure with to show it: 100 for per cent, 1 for that of a metric of a task's own."""
        return 1 if kind == "downstream" and self.measures[task] not in (*MEASURES, RANKED_BY) else 100

    def scores(self, task: str, access: str, kind: str) -> Float64Array:
        """Give each example's figure, its mean over seeds, [N]."""
        name = self.name(kind, task)
        scores: Float64Array = np.mean([cell.scores[name] for cell in self.of(task, access)], axis=0)
        return scores
