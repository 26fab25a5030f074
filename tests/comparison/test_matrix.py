"""What a matrix says of the figures of its tasks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from reml.comparison.averages import averages
from reml.comparison.comparisons import comparisons
from reml.comparison.matrix import Cell, Matrix
from reml.study.cells import PASSAGES, shown_measures
from tests.benchmarks.kilt.small_matrix import matrix
from tests.study import small_matrix as study


def with_own() -> Matrix:
    """Add a task with a metric of its own, which gives no KILT score, to the small matrix."""
    given = matrix()
    scores = {"Rprec": np.array([1.0, 0.0]), "recall@5": np.array([1.0, 1.0]), "mine": np.array([-2.0, -3.0])}
    cells = [Cell("own", access, seed, scores) for access in given.accesses for seed in given.seeds]
    return replace(given, measures={**given.measures, "own": "mine"}, cells=(*given.cells, *cells))


@pytest.mark.parametrize(
    ("task", "kinds", "ranking", "scale"),
    [
        ("nq", ["R-precision", "recall@5", "downstream", "KILT score"], "KILT score", 100),
        ("own", ["R-precision", "recall@5", "downstream"], "downstream", 1),
    ],
)
def test_a_task_has_the_figures_of_its_metric(task: str, kinds: list[str], ranking: str, scale: int) -> None:
    given = with_own()
    assert list(averages(given, task, "bm25")) == kinds
    assert given.ranking(task) == ranking
    assert (given.scale("downstream", task), given.scale("R-precision", task)) == (scale, 100)
    assert [one.kind for one in comparisons(given) if one.task == task] == kinds


def test_other_tasks_are_compared_as_without_it() -> None:
    kilt = [one for one in comparisons(with_own()) if (one.kind, one.task) == ("KILT score", "nq")]
    assert kilt == [one for one in comparisons(matrix()) if (one.kind, one.task) == ("KILT score", "nq")]


def test_a_study_shows_the_headline_of_a_metric() -> None:
    cells = tuple(replace(cell, scores={**cell.scores, "mine": cell.scores["Rprec"]}) for cell in study.matrix().cells)
    given = Matrix({"t": "mine"}, tuple(study.CONDITIONS), {0: Path("0"), 1: Path("1")}, cells)
    assert shown_measures(given, "t") == ("Rprec", *PASSAGES[:2], "answer_recall@1", "answer_recall@5", "mine")
