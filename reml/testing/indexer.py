"""The contract test of what a configuration names as a retriever."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reml.access.similarity import EncoderScorer
from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Indexer, TrainableEncoder, TrainableIndexer
from reml.contract.vectors import Int64Array
from reml.files.atomic import StaleError
from reml.testing.contract import Contract
from reml.testing.encoder import shaken
from reml.testing.memory_collection import TEXTS, MemoryCollection

ITSELF = (
    "each text, asked as a query, must find itself first; override this test for a retriever that does not read "
    "`item.text`"
)


class IndexerContract(Contract, ABC):
    """What every retriever must do, over a small collection of English texts."""

    @abstractmethod
    def make(self) -> Indexer:
        """Make the retriever's settings."""

    def test_finds_a_text_by_its_own_words(self, tmp_path: Path) -> None:
        """Each text is the first hit of itself, and hits are sorted and padded."""
        collection = MemoryCollection(TEXTS)
        retriever = self.make().index(collection, tmp_path / "index")
        hits = retriever.search(Queries.of(TEXTS), 7)
        assert hits.rows[:, 0].tolist() == list(range(len(TEXTS))), ITSELF
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
        """The same folder and collection give the same hits, and no item is read to open it: nothing is built again."""
        collection, reopened = CountedReads(TEXTS), CountedReads(TEXTS)
        first = self.make().index(collection, tmp_path / "index").search(Queries.of(TEXTS), 3)
        assert collection.items_read >= len(TEXTS), "an index is built of the items of its collection"
        retriever = self.make().index(reopened, tmp_path / "index")
        assert reopened.items_read == 0, "the folder was there, and it was built again"
        again = retriever.search(Queries.of(TEXTS), 3)
        np.testing.assert_array_equal(first.rows, again.rows)
        np.testing.assert_array_equal(first.scores, again.scores)

    def test_refuses_a_folder_of_another_collection(self, tmp_path: Path) -> None:
        """An index never answers for a collection it was not built for."""
        self.make().index(MemoryCollection(TEXTS), tmp_path / "index")
        with pytest.raises(StaleError):
            self.make().index(MemoryCollection(TEXTS[:3]), tmp_path / "index")


class TrainableIndexerContract(IndexerContract):
    """What every retriever must do whose encoder is trained before it indexes."""

    @abstractmethod
    def make(self) -> TrainableIndexer[Any]:
        """Make the retriever's settings."""

    def test_its_encoder_comes_the_same_from_the_same_folder(self, tmp_path: Path) -> None:
        """Trained weights are given to the one that is made anew."""
        collection, settings = MemoryCollection(TEXTS), self.make()
        assert isinstance(settings, TrainableIndexer)
        first, again = (settings.encoder(collection, tmp_path / "start") for _ in range(2))
        assert isinstance(first, TrainableEncoder)
        shaken(first)
        again.module.load_state_dict(first.module.state_dict())
        assert again.fingerprint() == first.fingerprint()

    def test_it_indexes_with_the_encoder_it_is_given(self, tmp_path: Path) -> None:
        """Hits are scored by this encoder, and an index of other weights is refused."""
        collection, settings = MemoryCollection(TEXTS), self.make()
        encoder = settings.encoder(collection, tmp_path / "start")
        before = settings.index_with(encoder, collection, tmp_path / "index").search(Queries.of(TEXTS), 3)
        shaken(encoder)
        with pytest.raises(StaleError):
            settings.index_with(encoder, collection, tmp_path / "index")
        after = settings.index_with(encoder, collection, tmp_path / "other").search(Queries.of(TEXTS), 3)
        assert not np.allclose(after.scores, before.scores)
        places = np.where(after.mask, after.rows, -1)
        scores = EncoderScorer(encoder).score(Queries.of(TEXTS), collection.get(collection.rows()), places)
        np.testing.assert_allclose(scores.detach().float().cpu(), after.scores, rtol=2e-2, atol=2e-2)


class CountedReads(MemoryCollection):
    """A collection that counts the items it has handed out: an index that is built reads all of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(texts)
        self.items_read = 0

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, and count them."""
        self.items_read += len(rows)
        return super().get(rows)

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from row id `start` on, and count them."""
        for batch in super().batches(size, start):
            self.items_read += len(batch)
            yield batch
