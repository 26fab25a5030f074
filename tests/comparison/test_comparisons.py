"""Two systems against each other, on the numbers of the matrix, as scipy has it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from reml.comparison.comparisons import comparisons, gains, rivals
from reml.comparison.conditions import Condition
from reml.comparison.matrix import KINDS, Matrix
from reml.evaluation.significance import holm, randomisation_test
from tests.benchmarks.kilt.small_matrix import matrix
from tests.study import small_matrix as study


def test_every_two_systems_are_tested_on_each_figure_as_scipy_does() -> None:
    given = matrix()
    found = comparisons(given)
    assert [(one.kind, one.task) for one in found] == [(kind, task) for kind in KINDS for task in ("nq", "places")]
    for one in found:
        first, second = (given.scores(one.task, name, one.kind) for name in (one.first, one.second))
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
    one = Matrix({"nq": "em"}, given.accesses, given.runs, tuple(cell for cell in given.cells if cell.task == "nq"))
    assert {found.task for found in comparisons(one)} == {"nq"}


def test_gains_are_over_the_frozen_retriever_and_the_own_controls() -> None:
    found = gains(study.matrix(), list(study.SCORES), "t", "Rprec")
    assert [(one.first, one.second) for one in found] == [
        ("d_pdist", "d"),
        ("d_pdist", "d_pdist_untrained"),
        ("d_loop", "d"),
    ]
    assert [one.difference for one in found] == pytest.approx([15.5 / 16 - 0.5, 15.5 / 16 - 0.5, 0.5 / 16])
    assert all(one.interval.low <= one.difference <= one.interval.high for one in found)


def test_p_values_of_gains_are_of_scores_averaged_over_seeds_and_corrected_within_a_control() -> None:
    found = gains(study.matrix(), list(study.SCORES), "t", "Rprec")
    means = {one: np.mean(both, axis=0) for one, both in study.SCORES.items()}
    frozen = means[study.FROZEN]
    raw = [randomisation_test(means[study.PDIST], frozen), randomisation_test(means[study.LOOP], frozen)]
    assert [found[0].p, found[2].p] == raw
    assert [found[0].corrected, found[2].corrected] == holm(raw)
    assert found[1].corrected == found[1].p, "alone in its family"
    assert found[0].corrected < 0.05 < found[2].corrected


def test_objectives_are_compared_with_one_another_within_a_learner() -> None:
    given, conditions = study.matrix(), list(study.SCORES)
    (only,) = rivals(given, conditions, "t", "Rprec")
    assert (only.first, only.second) == ("d_pdist", "d_loop"), "neither the frozen retriever nor a control"
    means = {one: np.mean(both, axis=0) for one, both in study.SCORES.items()}
    # pdist misses the last by one seed of two, 15.5 of 16; loop has 8 of 16 and a half of the last but for one seed.
    assert only.difference == pytest.approx((15.5 - 8.5) / 16)
    assert only.p == only.corrected == randomisation_test(means[study.PDIST], means[study.LOOP])


def test_objectives_beside_one_another_are_one_family_of_all_learners() -> None:
    """Three objectives of d and two of e: three pairs and one, none across learners, corrected together."""
    rng = np.random.default_rng(0)
    conditions = [Condition(learner, name) for learner, names in (("d", "xyz"), ("e", "xy")) for name in names]
    cells = [study.cell(one, 0, rng.integers(2, size=16).tolist()) for one in conditions]
    given = Matrix({"t": "em"}, tuple(one.access for one in conditions), {0: Path("s")}, tuple(cells))
    found = rivals(given, [Condition("d"), *conditions, Condition("d", "x", "shuffled")], "t", "Rprec")
    assert [(one.first, one.second) for one in found] == [
        ("d_x", "d_y"),
        ("d_x", "d_z"),
        ("d_y", "d_z"),
        ("e_x", "e_y"),
    ]
    assert [one.corrected for one in found] == holm([one.p for one in found])
