"""The contract test of what a configuration names as a retriever."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest

from reml.contract.retrieved import Queries
from reml.contract.retrievers import Indexer
from reml.files.atomic import StaleError
from reml.testing.memory_collection import TEXTS, MemoryCollection


class IndexerContract(ABC):
    """What every retriever must do, over a small collection of English texts."""

    @abstractmethod
    def make(self) -> Indexer:
        """Make the retriever's settings."""

    def test_finds_a_text_by_its_own_words(self, tmp_path: Path) -> None:
        """Each text is the first hit of itself, and hits are sorted and padded."""
        collection = MemoryCollection(TEXTS)
        retriever = self.make().index(collection, tmp_path / "index")
        hits = retriever.search(Queries.of(TEXTS), 7)
        assert hits.rows[:, 0].tolist() == list(range(len(TEXTS)))
        assert hits.rows.shape == (len(TEXTS), 7)
        assert (hits.rows[:, len(TEXTS) :] == -1).all()
        assert (np.diff(np.where(hits.mask, hits.scores, -1e30), axis=1) <= 0).all()

    def test_scores_anew_what_it_found(self, tmp_path: Path) -> None:
        """`score` puts the items in the order of `search`, and gives -inf at padding."""
        retriever = self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        queries = Queries.of(TEXTS[:2])
        hits = retriever.search(queries, 6)
        scores = retriever.score(queries, hits.rows)
        assert scores.shape == hits.rows.shape
        np.testing.assert_allclose(scores.detach().float().cpu(), hits.scores, rtol=2e-2, atol=2e-2)

    def test_a_query_that_says_nothing_has_no_hits(self, tmp_path: Path) -> None:
        """Blank queries get padding only."""
        retriever = self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        assert (retriever.search(Queries.of(["", "  "]), 3).rows == -1).all()

    def test_opens_what_it_built(self, tmp_path: Path) -> None:
        """The same folder and collection give the same hits, without building again."""
        first = self.make().index(MemoryCollection(TEXTS), tmp_path / "index").search(Queries.of(TEXTS), 3)
        again = self.make().index(MemoryCollection(TEXTS), tmp_path / "index").search(Queries.of(TEXTS), 3)
        np.testing.assert_array_equal(first.rows, again.rows)
        np.testing.assert_array_equal(first.scores, again.scores)

    def test_refuses_a_folder_of_another_collection(self, tmp_path: Path) -> None:
        """An index never answers for a collection it was not built for."""
        self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        with pytest.raises(StaleError):
            self.make().index(MemoryCollection(TEXTS[:3]), tmp_path / "index")
