"""The contract test of an index."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from reml.contract.retrieved import Hits
from reml.contract.retrievers import Index
from reml.contract.vectors import Int64Array, Representations
from reml.testing.contract import Contract
from reml.testing.representations import is_sparse, matrix, tiled


class _Seen(NamedTuple):
    """What a search found, and which states there were when it began and when it ended."""

    first: int
    hits: Hits
    last: int


class IndexContract(Contract, ABC):
    """What every index must do. Set `exact = False` for one that may miss items."""

    exact = True

    @abstractmethod
    def make(self, folder: Path) -> Index:
        """Make an empty index; `folder` is an empty folder of its own."""

    @abstractmethod
    def vectors(self, count: int, seed: int) -> Representations:
        """Make random representations, of items or queries, of the kind and width the index takes."""

    def test_gives_the_best_items_first(self, tmp_path: Path) -> None:
        """Hits are the items with the largest dot products, in order; ties by row."""
        index, rows, items = self._filled(tmp_path)
        queries = self.vectors(7, seed=2)
        hits = index.search(queries, 5)
        assert hits.rows.shape == hits.scores.shape == (7, 5)
        assert hits.rows.dtype == np.int64
        assert hits.scores.dtype == np.float32
        products = matrix(queries) @ matrix(items).T
        expected = Hits.ranked(np.where(products > 0, rows, -1) if is_sparse(items) else tiled(rows, 7), products, 5)
        np.testing.assert_allclose(hits.scores[:, 0], expected.scores[:, 0], rtol=1e-4, atol=1e-5)
        if self.exact:
            np.testing.assert_allclose(hits.scores, expected.scores, rtol=1e-4, atol=1e-5)
            np.testing.assert_array_equal(hits.rows, expected.rows)

    def test_pads_when_there_are_fewer_items_than_k(self, tmp_path: Path) -> None:
        """A k larger than the index leaves -1 and -inf at the end."""
        index, rows, _ = self._filled(tmp_path)
        hits = index.search(self.vectors(2, seed=3), len(rows) + 4)
        assert (hits.rows[:, -4:] == -1).all()
        assert np.isneginf(hits.scores[:, -4:]).all()
        assert (np.diff(hits.mask.astype(int), axis=1) <= 0).all(), "padding must stand at the end"

    def test_refuses_k_below_one(self, tmp_path: Path) -> None:
        """A k of 0 is an error."""
        index, _, _ = self._filled(tmp_path)
        with pytest.raises(ValueError, match="k"):
            index.search(self.vectors(1, seed=3), 0)

    def test_refuses_rows_it_holds(self, tmp_path: Path) -> None:
        """Row ids are never used twice."""
        index, rows, items = self._filled(tmp_path)
        with pytest.raises(ValueError, match=str(rows[0])):
            index.add(rows, items)

    def test_forgets_what_is_deleted(self, tmp_path: Path) -> None:
        """A deleted item is never found again; deleting what is not there is an error."""
        index, _, _ = self._filled(tmp_path)
        queries = self.vectors(1, seed=2)
        best = index.search(queries, 1).rows[0]
        before = len(index)
        index.delete(best)
        assert len(index) == before - 1
        assert best[0] not in index.search(queries, before).rows
        with pytest.raises(KeyError):
            index.delete(best)

    def test_searches_beside_one_that_adds_and_deletes_see_it_before_or_after(self, tmp_path: Path) -> None:
        """Three threads search while one adds and deletes: each result is right for some state in between."""
        index, rows, _ = self._filled(tmp_path)
        added, queries = self.vectors(200, seed=4), self.vectors(3, seed=2)
        states, seen, faults, ended = [index.search(queries, 20)], list[_Seen](), list[Exception](), threading.Event()

        def search() -> None:
            try:
                while not ended.is_set():
                    first = len(states) - 1
                    seen.append(_Seen(first, index.search(queries, 20), len(states)))
            except Exception as fault:
                faults.append(fault)

        with ThreadPoolExecutor(3) as pool:
            searching = [pool.submit(search) for _ in range(3)]
            try:
                for change in range(12):
                    if change % 2:
                        index.delete(rows[4 * change : 4 * change + 4])
                    else:
                        index.add(1000 + np.arange(200) + 200 * change, added)
                    states.append(index.search(queries, 20))
            finally:
                ended.set()
            wait(searching)
        assert not faults, faults[0]
        assert len(seen) >= 3, "nothing was searched meanwhile"
        assert all(any(_same(one.hits, state) for state in states[one.first : one.last + 1]) for one in seen)

    def _filled(self, folder: Path) -> tuple[Index, Int64Array, Representations]:
        index, items = self.make(folder), self.vectors(60, seed=1)
        rows = np.arange(60, dtype=np.int64) * 3 + 5
        index.add(rows, items)
        assert len(index) == 60
        return index, rows, items


def _same(hits: Hits, others: Hits) -> bool:
    return bool((hits.rows == others.rows).all() and np.allclose(hits.scores, others.scores, rtol=1e-4))
