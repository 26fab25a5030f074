from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.access.rank_fusion import interleaved, reciprocal_rank_fusion
from reml.contract.retrieved import Hits


def ranking(*rows: list[int]) -> Hits:
    width = max(len(row) for row in rows)
    filled = np.array([[*row, *[-1] * (width - len(row))] for row in rows], dtype=np.int64).reshape(len(rows), width)
    return Hits(filled, np.where(filled >= 0, 5.0, -np.inf).astype(np.float32))


def test_gains_add_up_by_rank() -> None:
    fused = reciprocal_rank_fusion([ranking([7, 3, 5]), ranking([3, 9])], 5)
    assert fused.rows.tolist() == [[3, 7, 9, 5, -1]]
    np.testing.assert_allclose(fused.scores[0, :4], [1 / 62 + 1 / 61, 1 / 61, 1 / 62, 1 / 63], rtol=1e-6)
    assert fused.scores[0, 4] == -np.inf


def test_queries_are_fused_apart_and_ties_go_by_row() -> None:
    fused = reciprocal_rank_fusion([ranking([4, 1], [8]), ranking([1, 4], [2])], 2)
    assert fused.rows.tolist() == [[1, 4], [2, 8]]


def test_the_constant_is_what_is_added_to_the_rank() -> None:
    fused = reciprocal_rank_fusion([ranking([4, 1])], 1, constant=0)
    assert fused.scores.tolist() == [[1.0]]


def test_rankings_are_taken_from_in_turn() -> None:
    fused = interleaved([ranking([7, 3, 5], [1]), ranking([3, 9], [2, 1]), ranking([7, 8], [4])], 6)
    assert fused.rows.tolist() == [[7, 3, 9, 8, 5, -1], [1, 2, 4, -1, -1, -1]]
    np.testing.assert_allclose(fused.scores[0, :5], [1, 1 / 2, 1 / 5, 1 / 6, 1 / 7], rtol=1e-6)
    assert interleaved([ranking([7, 3, 5]), ranking([3, 9])], 2).rows.tolist() == [[7, 3]]


RANKINGS = st.lists(st.lists(st.integers(0, 9), unique=True, max_size=7), min_size=1, max_size=4)


@given(RANKINGS)
def test_in_turn_is_as_a_loop_says(rankings: list[list[int]]) -> None:
    turns = [one for place in itertools.zip_longest(*rankings) for one in place if one is not None]
    expected = list(dict.fromkeys(turns))
    found = interleaved([ranking(one) for one in rankings], 40)
    assert found.rows[found.mask].tolist() == expected


def test_a_ranking_of_nothing_gives_nothing() -> None:
    nothing = Hits(np.empty((2, 0), np.int64), np.empty((2, 0), np.float32))
    assert reciprocal_rank_fusion([nothing], 2).rows.tolist() == [[-1, -1]] * 2
    assert reciprocal_rank_fusion([nothing, ranking([3], [])], 1).rows.tolist() == [[3], [-1]]
    assert len(reciprocal_rank_fusion([Hits(nothing.rows[:0], nothing.scores[:0])], 2)) == 0


@pytest.mark.parametrize("k", [1, 2, 4])
def test_one_ranking_keeps_its_order(k: int) -> None:
    assert reciprocal_rank_fusion([ranking([9, 2, 5, 0])], k).rows.tolist() == [[9, 2, 5, 0][:k]]
