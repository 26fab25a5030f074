"""Static pruning: the smallest weights of each item are left out, and what is kept is found exactly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.vectors import Float32Array, SparseVectors
from reml.index.impact import Impact, ImpactIndex
from reml.index.sparse import pruned
from reml.testing import matrix
from tests.index.vectors import assert_same, brute_force, random_matrix, sparse


def by_hand(weights: Float32Array, keep: float) -> Float32Array:
    """Take the largest weights one by one until they make up the share."""
    kept, total = np.zeros_like(weights), weights.sum(dtype=np.float64)
    for place in np.argsort(-weights, kind="stable"):
        if kept.sum(dtype=np.float64) >= keep * total:
            break
        kept[place] = weights[place]
    return kept


def test_the_fewest_largest_weights_that_make_up_the_share() -> None:
    given = sparse(np.array([[1, 4, 3, 2], [0, 0, 0, 0], [2, 2, 2, 2], [0, 5, 0, 0]], dtype=np.float32))
    assert matrix(pruned(given, 0.7)).tolist() == [[0, 4, 3, 0], [0, 0, 0, 0], [2, 2, 2, 0], [0, 5, 0, 0]]
    assert matrix(pruned(given, 0.71)).tolist()[0] == [0, 4, 3, 2]
    assert matrix(pruned(given, 1e-9)).tolist() == [[0, 4, 0, 0], [0, 0, 0, 0], [2, 0, 0, 0], [0, 5, 0, 0]]


@given(st.integers(0, 40), st.integers(1, 20), st.sampled_from([0.1, 0.5, 0.75, 0.9]), st.integers(0, 999))
def test_equals_one_row_after_the_other(rows: int, width: int, keep: float, seed: int) -> None:
    whole = np.round(random_matrix(rows, width, density=0.5, seed=seed) * 8)  # sums are exact, and weights tie
    expected = [by_hand(row, keep) for row in whole]
    np.testing.assert_array_equal(matrix(pruned(sparse(whole), keep)), np.array(expected).reshape(whole.shape))


@pytest.mark.parametrize("keep", [0.4, 0.8])
def test_an_index_finds_exactly_among_what_it_keeps(keep: float, tmp_path: Path) -> None:
    whole, asked = (random_matrix(count, 30, density=0.3, seed=seed) for count, seed in ((400, 1), (20, 2)))
    kept, rows = matrix(pruned(sparse(whole), keep)), np.arange(400)
    maker = Impact(keep=keep)
    maker.make(tmp_path / "index", 30, [(rows[:300], sparse(whole[:300]))])
    index = maker.open(tmp_path / "index")
    index.add(rows[300:], sparse(whole[300:]))
    assert_same(index.search(sparse(asked), 50), brute_force(asked, kept, rows, 50))
    assert kept.astype(bool).sum() < 0.9 * whole.astype(bool).sum()


def test_an_index_that_keeps_all_is_what_it_was() -> None:
    assert Impact().fingerprint() == Impact(keep=1.0).fingerprint() == Impact(threads=3).fingerprint()
    assert len({Impact(keep=keep).fingerprint() for keep in (1.0, 0.9, 0.8)}) == 3


@pytest.mark.parametrize("keep", [0.0, 1.1, -1.0, float("nan")])
def test_a_share_that_is_none_is_refused(keep: float) -> None:
    with pytest.raises(ValueError, match="keep"):
        Impact(keep=keep)
    with pytest.raises(ValueError, match="keep is a share"):
        ImpactIndex(3, keep=keep)


def test_vectors_of_nothing_stay(tmp_path: Path) -> None:
    nothing = SparseVectors(np.zeros(1, np.int64), np.zeros(0, np.int32), np.zeros(0, np.float32), 5)
    assert len(pruned(nothing, 0.5)) == 0
