from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest

from reml.benchmarks.speed.scoring import DOT, EXACT, ONE_BYTE, PISA, Scoring, exact_scores, one_byte
from reml.benchmarks.speed.workloads.workload import write_texts
from tests.benchmarks.speed.workloads.test_workload import TwoBatches


def test_lengths_in_one_byte_are_lucenes() -> None:
    lengths = [0, 1, 23, 24, 39, 40, 41, 42, 55, 56, 59, 60, 87, 88, 95, 96, 151, 152]
    kept = [0, 1, 23, 24, 39, 40, 40, 42, 54, 56, 56, 60, 84, 88, 88, 96, 144, 152]
    assert one_byte(np.array(lengths, dtype=np.float64)).tolist() == kept


@pytest.mark.parametrize(
    ("scoring", "rare"),
    [(EXACT, log(1 + 2.5 / 1.5)), (ONE_BYTE, log(1 + 2.5 / 1.5)), (PISA, log(2.5 / 1.5))],
)
def test_bm25_by_hand(scoring: Scoring, rare: float, tmp_path: Path) -> None:
    # Lengths 4, 0, 2; their mean is 2. The first query asks terms 0 (once in item 0) and 3 (twice in item 0).
    workload = write_texts(tmp_path / "workload", "three", TwoBatches(), queries=9)
    first, second = exact_scores(workload, scoring, workload.queries("a"))
    norm = 1.2 * (0.25 + 0.75 * 4 / 2)
    assert first.tolist() == pytest.approx([rare * (1 / (1 + norm) + 2 / (2 + norm)), 0, 0])
    assert second.tolist() == pytest.approx([0, 0, rare * 2 / (2 + 1.2)])


def test_pisas_common_terms_still_count_a_little() -> None:
    assert PISA.query_weights(np.array([9]), 10).tolist() == [1e-6]
    assert EXACT.query_weights(np.array([9]), 10)[0] == pytest.approx(log(1 + 1.5 / 9.5))


def test_the_dot_product_is_one(tmp_path: Path) -> None:
    workload = write_texts(tmp_path / "workload", "three", TwoBatches(), queries=9)
    first, second = exact_scores(workload, DOT, workload.queries("a"))
    assert (first.tolist(), second.tolist()) == ([3, 0, 0], [0, 0, 2])
