from __future__ import annotations

import pytest
from scipy import stats

from reml.comparison.averages import Average, averages
from tests.benchmarks.kilt.small_matrix import matrix


def test_means_over_seeds_with_their_interval() -> None:
    found = averages(matrix(), "nq", "bm25")
    assert set(found) == {"R-precision", "recall@5", "downstream", "KILT score"}
    # 2 of 6 under the one seed, 3 of 6 under the other: mean 5/12, standard error 1/12, t 12.706.
    assert found["KILT score"].mean == pytest.approx(5 / 12)
    assert found["KILT score"].half == pytest.approx(stats.t.ppf(0.975, 1) / 12)
    assert found["KILT score"].half == pytest.approx(12.7062 / 12, abs=1e-5)


def test_one_seed_has_no_interval() -> None:
    assert Average.of([0.25]) == Average(0.25, None)


def test_there_is_no_average_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values to average"):
        Average.of([])


def test_student_s_interval_by_hand() -> None:
    """Of 1, 2, 3: standard error 1 / sqrt(3), and Student's 4.3027 for two degrees of freedom."""
    found = Average.of([1.0, 2.0, 3.0])
    assert found.mean == 2.0
    assert found.half == pytest.approx(4.30265 / 3**0.5, rel=1e-5)


def test_scores_of_examples_are_means_over_seeds() -> None:
    assert matrix().scores("places", "dense", "downstream").tolist() == [0.5, 0.5, 0.0]
