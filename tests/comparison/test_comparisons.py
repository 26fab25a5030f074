"""Two systems against each other, on the numbers of the matrix, as scipy has it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from reml.comparison.averages import example_scores
from reml.comparison.comparisons import comparisons
from reml.comparison.matrix import KINDS, Matrix
from tests.benchmarks.kilt.small_matrix import matrix


def test_every_two_systems_are_tested_on_each_figure_as_scipy_does() -> None:
    given = matrix()
    found = comparisons(given)
    assert [(one.kind, one.task) for one in found] == [(kind, task) for kind in KINDS for task in ("nq", "places")]
    for one in found:
        first, second = (example_scores(given, one.task, name, kind=one.kind) for name in (one.first, one.second))
        expected = stats.permutation_test(
            (first, second),
            lambda x, y, axis: np.mean(x - y, axis=axis),
            permutation_type="samples",
            vectorized=True,
            n_resamples=np.inf,
        )
        assert one.p == pytest.approx(expected.pvalue, abs=1e-12)
        assert one.difference == pytest.approx(float(expected.statistic))
        interval = stats.bootstrap((first - second,), np.mean, method="percentile", rng=0).confidence_interval
        assert (one.interval.low, one.interval.high) == pytest.approx((interval.low, interval.high), abs=0.06)


def test_by_hand() -> None:
    # nq, means over seeds: bm25 1 .5 0 0 1 0, dense 1 1 1 1 1 .5. Differences 0 .5 1 1 0 .5 all of one sign: of the 16
    # assignments of signs to the four that are not 0, two are as extreme.
    nq, places = comparisons(matrix())[:2]
    assert (nq.difference, nq.p) == pytest.approx((-0.5, 2 / 16))
    # places: .5 -.5 1, sum 1: of 8, the sums 2 1 1 0 and their opposites: 6 are at least 1.
    assert places.p == pytest.approx(6 / 8)
    assert (nq.corrected, places.corrected) == pytest.approx((4 / 16, 6 / 8)), "Holm over the two tasks"


def test_a_task_that_is_not_scored_is_left_out() -> None:
    given = matrix()
    one = Matrix({"nq": "em"}, given.accesses, given.seeds, tuple(cell for cell in given.cells if cell.task == "nq"))
    assert {found.task for found in comparisons(one)} == {"nq"}
