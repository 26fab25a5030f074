from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.benchmarks.speed.growth import FULL, fit, growths, straight_line
from tests.benchmarks.speed.small_result import comparison


@given(st.floats(1e-6, 1e3), st.floats(-1, 2))
def test_finds_a_power_law_again(factor: float, exponent: float) -> None:
    rows = [1e4, 1e5, 1e6]
    law = fit(rows, [factor * size**exponent for size in rows])
    assert law.exponent == pytest.approx(exponent, abs=1e-9)
    assert law.factor == pytest.approx(factor, rel=1e-6)
    assert law.misfit == pytest.approx(1)


def test_the_misfit_is_the_largest_ratio_from_the_law() -> None:
    # Logarithms 0, 0, log 8 at 0, 1, 2 decades: the line rises by log 8 / 2 each, from -log 8 / 6.
    law = fit([1, 10, 100], [1, 1, 8])
    assert law(1) == pytest.approx(8 ** (-1 / 6))
    assert law(10) == pytest.approx(8 ** (1 / 3))
    assert law.misfit == pytest.approx(2)


@pytest.mark.parametrize(("rows", "values"), [([5], [1.0]), ([5, 5], [1.0, 2.0]), ([5, 6], [0.0, 1.0])])
def test_refuses_what_no_law_goes_through(rows: list[float], values: list[float]) -> None:
    with pytest.raises(ValueError, match="two sizes"):
        fit(rows, values)


@given(st.floats(0, 1e3), st.floats(1e-9, 1e-2))
def test_finds_a_straight_line_again(fixed: float, slope: float) -> None:
    rows = [1e4, 1e5, 1e6]
    found = straight_line(rows, [fixed + slope * size for size in rows])
    assert found[0] + found[1] * FULL == pytest.approx(fixed + slope * FULL, rel=1e-6)


def test_a_line_has_neither_fixed_cost_nor_slope_below_zero() -> None:
    fixed, slope = straight_line([1, 10, 100], [1, 11, 121])
    assert fixed == 0
    assert slope > 1
    assert straight_line([1, 10], [5, 4])[1] == 0


def test_each_quantity_of_each_engine_is_extrapolated() -> None:
    found = {(one.engine, one.quantity): one for one in growths([comparison(1_000), comparison(100_000)])}
    build = found["fast", "build from text"]
    assert (build.rows, build.unit) == ((1_000, 100_000), "CPU s")
    assert build.law.exponent == pytest.approx(1)
    assert build.at_full == pytest.approx(FULL / 4_000)
    assert build.line_at_full == pytest.approx(FULL / 4_000)
    memory = found["slow", "memory to build from text"]
    assert memory.values == pytest.approx((1.0, 100.0)), "MB above what the process has before"
    assert found["slow", "short, k = 100: p99"].at_full == pytest.approx(4 * FULL / 1_000)
    assert {engine for engine, _ in found} == {"fast", "slow"}


def test_one_size_has_no_growth() -> None:
    assert growths([comparison(1_000)]) == []
