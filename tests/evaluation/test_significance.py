"""Significance against scipy, and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reml.contract.vectors import Float64Array
from reml.evaluation.significance import (
    Interval,
    bootstrap_interval,
    differences,
    holm,
    mean_interval,
    randomisation_test,
    score_interval,
    t_test,
)


def pair(count: int, shift: float) -> tuple[Float64Array, Float64Array]:
    generator = np.random.default_rng(count)
    first = generator.random(count)
    return first + shift + 0.3 * generator.standard_normal(count), first


def test_randomisation_of_three_pairs_by_hand() -> None:
    # Differences 1, 2, 3: of the 8 assignments of signs, +++ and --- are as extreme as the sum 6.
    assert randomisation_test(np.array([1.0, 2.0, 3.0]), np.zeros(3)) == 2 / 8


@given(st.lists(st.sampled_from([-1.0, -1 / 3, -0.1, 0.0, 0.1, 1 / 3, 1.0]), min_size=2, max_size=8))
def test_few_pairs_are_as_if_enumerated(differences: list[float]) -> None:
    """Whole thirtieths tell which assignments of signs are as extreme; sums of the scores differ in the last bits."""
    exact = [round(30 * one) for one in differences]
    swaps = itertools.product((-1, 1), repeat=len(exact))
    sums = [abs(sum(sign * one for sign, one in zip(signs, exact, strict=True))) for signs in swaps]
    expected = sum(one >= abs(sum(exact)) for one in sums) / len(sums)
    assert randomisation_test(np.array(differences), np.zeros(len(exact))) == expected


@pytest.mark.parametrize("count", [3, 15])
def test_sums_equal_on_paper_are_equal(count: int) -> None:
    """0.1 + 0.2 - 0.3 is not 0 in floating point, yet no assignment of signs is less extreme."""
    differences = np.array([0.1, 0.2, -0.3, *[0.0] * (count - 3)])
    assert abs(differences.sum()) > 0
    assert randomisation_test(differences, np.zeros(count)) == 1.0


def test_equal_systems_are_not_different() -> None:
    scores = np.array([0.1, 0.5, 0.9])
    assert randomisation_test(scores, scores) == 1.0
    assert t_test(scores, scores) == 1.0
    assert t_test(scores + 0.5, scores) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("count", [5, 14])
def test_exact_randomisation_equals_scipy(count: int) -> None:
    first, second = pair(count, 0.2)
    expected = stats.permutation_test(
        (first, second),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert randomisation_test(first, second) == pytest.approx(expected.pvalue, abs=1e-12)


def test_sampled_randomisation_is_near_scipy() -> None:
    first, second = pair(200, 0.04)
    expected = stats.permutation_test(
        (first, second),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        rng=0,
    )
    # Two estimates from 10,000 samples each: a standard error of at most 0.005 apiece.
    assert randomisation_test(first, second) == pytest.approx(expected.pvalue, abs=0.03)
    assert 0.01 < expected.pvalue < 0.5


def test_randomisation_is_never_certain() -> None:
    assert randomisation_test(np.ones(100), np.zeros(100), resamples=99) == 1 / 100


def test_t_test_equals_scipy() -> None:
    first, second = pair(50, 0.1)
    assert t_test(first, second) == stats.ttest_rel(first, second).pvalue


def test_bootstrap_is_near_scipy() -> None:
    first, second = pair(300, 0.1)
    expected = stats.bootstrap((first - second,), np.mean, method="percentile", rng=0).confidence_interval
    interval = bootstrap_interval(first, second)
    assert interval.low == pytest.approx(expected.low, abs=0.003)
    assert interval.high == pytest.approx(expected.high, abs=0.003)
    assert bootstrap_interval(first, second, level=0.5).low > interval.low


def test_bootstrap_depends_only_on_the_seed() -> None:
    first, second = pair(30, 0.1)
    assert bootstrap_interval(first, second, seed=3) == bootstrap_interval(first, second, seed=3)
    assert bootstrap_interval(first, second, seed=3) != bootstrap_interval(first, second, seed=4)


def test_interval_of_a_mean_by_hand_and_as_scipy() -> None:
    # Of 1 and 3 the mean is 2 and its standard error 1; Student's t of one degree of freedom is 12.706 at 97.5 %.
    interval = mean_interval([1.0, 3.0])
    assert (interval.low, interval.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)
    assert mean_interval([2.0, 2.0, 2.0]) == Interval(2.0, 2.0)
    values = [0.31, 0.35, 0.34, 0.30]
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.9)
    assert mean_interval(values, 0.9).low == pytest.approx(expected.low, abs=1e-12)
    assert mean_interval(values, 0.9).high == pytest.approx(expected.high, abs=1e-12)


@pytest.mark.parametrize(
    ("right", "count"),
    [(0, 1), (1, 1), (0, 20), (20, 20), (14, 20), (1, 100), (50, 100), (99, 100), (3, 7), (9000, 10000)],
)
def test_the_interval_of_right_and_wrong_is_wilson_s(right: int, count: int) -> None:
    expected = stats.binomtest(right, count).proportion_ci(0.95, "wilson")
    found = score_interval(np.array([1.0] * right + [0.0] * (count - right)))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert 0 <= found.low < found.high <= 1


@pytest.mark.parametrize("scores", [[], [0.5], [0.5, float("nan")], [float("inf"), 1.0]])
def test_what_has_no_interval(scores: list[float]) -> None:
    assert score_interval(np.array(scores)) is None


@pytest.mark.parametrize("count", [5, 30, 200, 3000])
def test_the_interval_of_other_scores_is_the_bootstrap_s(count: int) -> None:
    scores = np.random.default_rng(count).choice([0.0, 0.2, 0.5, 1.0, -3.0], count)
    expected = stats.bootstrap((scores,), np.mean, method="percentile", rng=0).confidence_interval
    found = score_interval(scores)
    assert found is not None
    width = expected.high - expected.low
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.08 * width)
    same = score_interval(np.full(9, 0.25))
    assert same is not None
    assert (same.low, same.high) == (0.25, 0.25)


def test_few_values_are_resampled_as_many_are() -> None:
    """A last bit makes values many, which are drawn one by one, without making them others."""
    few = np.random.default_rng(0).choice([-1.0, -0.5, 0.0, 0.5, 1.0], 400, p=[0.1, 0.1, 0.5, 0.1, 0.2])
    many = few + np.random.default_rng(1).normal(0, 1e-9, 400)
    zeros = np.zeros(400)
    one, other = bootstrap_interval(few, zeros), bootstrap_interval(many, zeros)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.004)
    assert randomisation_test(few, zeros) == pytest.approx(randomisation_test(many, zeros), abs=0.004)


def test_a_family_is_tested_and_corrected_together() -> None:
    pairs = [pair(40, shift) for shift in (0.0, 0.1, 0.5)]
    found = differences(pairs)
    raw = [randomisation_test(*both) for both in pairs]
    assert [one.p for one in found] == raw
    assert [one.corrected for one in found] == holm(raw)
    assert [one.mean for one in found] == [pytest.approx(float((a - b).mean())) for a, b in pairs]
    assert all(one.interval == bootstrap_interval(*both) for one, both in zip(found, pairs, strict=True))
    assert differences([]) == []


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.03, 0.04: times 3, 2, 1 is 0.03, 0.06, 0.04, and the last may not be below the one before it.
    assert holm([0.04, 0.01, 0.03]) == pytest.approx([0.06, 0.03, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_lies_between_none_and_bonferroni(p_values: list[float]) -> None:
    for given_value, corrected in zip(p_values, holm(p_values), strict=True):
        assert given_value <= corrected <= min(1.0, len(p_values) * given_value) + 1e-12


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="2 or more examples"):
        t_test(np.zeros(3), np.zeros(4))
    with pytest.raises(ValueError, match="2 or more examples"):
        randomisation_test(np.zeros(1), np.zeros(1))
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval(np.array([0.0, np.nan]), np.zeros(2))
    with pytest.raises(ValueError, match="level 95"):
        bootstrap_interval(np.zeros(2), np.zeros(2), level=95)
    with pytest.raises(ValueError, match="2 or more finite values"):
        mean_interval([0.5])
    for test in (bootstrap_interval, randomisation_test):
        with pytest.raises(ValueError, match="resamples 0"):
            test(np.zeros(2), np.zeros(2), resamples=0)
