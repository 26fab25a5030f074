"""Scores without ties: they fall in the precision of every reader, and change as little as can be."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.evaluation.trec.scores import untied

MOST = float(np.finfo(np.float32).max)
LEAST = float(np.finfo(np.float32).smallest_subnormal)
finite = st.floats(allow_nan=False, allow_infinity=False)
few = st.sampled_from([0.0, -0.0, 1.0, 0.1, 0.1 + 1e-12, LEAST, -LEAST, MOST, -MOST, 1e300, -1e300, 1e-300])


def falls(scores: list[float]) -> bool:
    singles = [np.float32(score) for score in scores]
    return all(one > other for one, other in pairwise(scores)) and all(one > other for one, other in pairwise(singles))


@given(st.lists(finite | few, max_size=50))
def test_scores_fall_for_readers_of_single_and_of_double_precision(scores: list[float]) -> None:
    fallen = untied(scores)
    assert falls(fallen)
    assert all(abs(score) <= MOST for score in fallen)
    assert [float(repr(score)) for score in fallen] == fallen


@given(st.lists(st.floats(-MOST, MOST), max_size=50, unique_by=np.float32))
def test_scores_that_fall_stay_as_they_are(scores: list[float]) -> None:
    scores.sort(reverse=True)
    assert untied(scores) == scores


@given(st.lists(st.floats(-1e6, 1e6, width=32), max_size=20).map(lambda scores: sorted(scores, reverse=True)))
def test_no_score_moves_by_more_than_a_step_a_place(scores: list[float]) -> None:
    lowest = [float(score) for score in scores]
    for place in range(len(scores)):
        for _ in range(place):
            lowest[place] = float(np.nextafter(np.float32(lowest[place]), np.float32(-np.inf)))
    assert all(low <= fallen <= given for low, fallen, given in zip(lowest, untied(scores), scores, strict=True))


@pytest.mark.parametrize(
    ("given_", "wanted"),
    [
        ([], []),
        ([2.0], [2.0]),
        ([1.0, 1.0, 1.0], [1.0, 1 - 2**-24, 1 - 2**-23]),
        ([0.0, 0.0], [0.0, -LEAST]),
        ([0.0, -0.0], [0.0, -LEAST]),
        ([-1.0, -1.0], [-1.0, -1 - 2**-23]),
        ([1.0, 2.0], [1.0, 1 - 2**-24]),
        ([3.0, 1.0, 1.0, 0.5], [3.0, 1.0, 1 - 2**-24, 0.5]),
        ([2.0, 1.0, 1.0, 1 - 2**-24], [2.0, 1.0, 1 - 2**-24, 1 - 2**-23]),
        ([-MOST, -MOST], [-MOST + 2.0**104, -MOST]),
        ([1e300, 1e300], [MOST, MOST - 2.0**104]),
        ([0.1 + 1e-12, 0.1], [0.1 + 1e-12, float(np.nextafter(np.float32(0.1), np.float32(0)))]),
        ([16777217.0, 16777216.0], [16777217.0, 16777215.0]),
    ],
)
def test_steps_by_hand(given_: list[float], wanted: list[float]) -> None:
    assert untied(given_) == wanted


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_what_cannot_be_ranked_by_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        untied([1.0, score])
