from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.vectors import Float64Array
from reml.predictors.gating.threshold import choose_threshold

EXAMPLE = st.tuples(st.sampled_from([-np.inf, -3.0, -2.0, -1.0, 0.0]), st.integers(0, 2), st.integers(0, 2))


@given(st.lists(EXAMPLE, min_size=1, max_size=8), st.sampled_from([0.0, 0.3, 0.5, 1.0]))
def test_no_threshold_within_the_budget_does_better(examples: list[tuple[float, int, int]], asks: float) -> None:
    confidence, closed, opened = (np.array(column, dtype=np.float64) for column in zip(*examples, strict=True))

    def outcome(threshold: float) -> tuple[float, float]:
        asked = confidence < threshold
        return float(np.where(asked, opened, closed).sum()), -float(asked.sum())

    possible = [-1e9, *np.unique(confidence[np.isfinite(confidence)]), 1e9]
    allowed = [outcome(one) for one in possible if -outcome(one)[1] <= asks * len(examples)]
    if not allowed:
        with pytest.raises(ValueError, match="raise asks"):
            choose_threshold(confidence, closed, opened, asks=asks)
        return
    assert outcome(choose_threshold(confidence, closed, opened, asks=asks)) == max(allowed)


def test_by_hand() -> None:
    confidence = np.array([-1.0, -3.0, -2.0, -0.5])
    closed, opened = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0, 1.0])
    assert choose_threshold(confidence, closed, opened, asks=1.0) == -1.0
    assert choose_threshold(confidence, closed, opened, asks=0.25) == -2.0
    assert choose_threshold(confidence, closed, opened, asks=0.0) == -3.0
    assert choose_threshold(confidence, closed, closed + 1, asks=1.0) > -0.5


def test_a_share_allows_all_that_it_is_of() -> None:
    confidence = np.arange(100) / 100
    for count in range(101):
        threshold = choose_threshold(confidence, np.zeros(100), np.ones(100), asks=count / 100)
        assert (confidence < threshold).sum() == count


@pytest.mark.parametrize(
    ("confidence", "closed", "asks", "said"),
    [
        (np.zeros(2), np.zeros(3), 0.5, r"must all be \[N\]"),
        (np.zeros(0), np.zeros(0), 0.5, "N > 0"),
        (np.array([np.nan]), np.zeros(1), 0.5, "nan"),
        (np.zeros(1), np.array([np.nan]), 0.5, "finite"),
        (np.zeros(1), np.zeros(1), 2.0, "asks is a share of the examples, 0 to 1, not 2.0"),
    ],
)
def test_wrong_numbers_are_refused(confidence: Float64Array, closed: Float64Array, asks: float, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        choose_threshold(confidence, closed, closed, asks=asks)
