from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.benchmarks.speed.recall import mean_recalls, recall
from reml.benchmarks.speed.scoring import DOT
from reml.benchmarks.speed.workloads.workload import write_texts
from tests.benchmarks.speed.workloads.test_workload import TwoBatches

SCORES = np.array([1.0, 5.0, 3.0, 3.0, 0.0])
BEST = np.sort(SCORES)[::-1]


@pytest.mark.parametrize(
    ("rows", "k", "expected"),
    [
        ([1], 1, 1.0),
        ([2], 1, 0.0),
        ([1, 2], 2, 1.0),
        ([1, 3], 2, 1.0),  # a tie: rows 2 and 3 are equally good
        ([1, 0], 2, 0.5),
        ([1, 1], 2, 0.5),  # the same row twice is one
        ([3, 2, 1, 0], 5, 1.0),  # only four items score above 0
        ([3, 2, 1, 4], 5, 0.75),
        ([], 3, 0.0),
    ],
)
def test_recall_by_hand(rows: list[int], k: int, expected: float) -> None:
    assert recall(SCORES, BEST, np.array(rows, dtype=np.int64), k) == expected


def test_where_nothing_can_be_found_nothing_is_missed() -> None:
    assert recall(np.zeros(3), np.zeros(3), np.empty(0, dtype=np.int64), 2) == 1.0


def test_is_the_mean_over_the_first_queries(tmp_path: Path) -> None:
    workload = write_texts(tmp_path / "workload", "three", TwoBatches(), queries=9)
    right, wrong = np.array([0]), np.array([1])
    assert mean_recalls(workload, DOT, "a", {1: [right, wrong], 2: [right, np.array([2])]}) == {1: 0.5, 2: 1.0}
    assert mean_recalls(workload, DOT, "a", {1: [right]}) == {1: 1.0}
