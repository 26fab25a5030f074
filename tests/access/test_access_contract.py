"""The access models that there are, by their contract."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.access.composed_access import FoundAccess, FusedAccess
from reml.access.indexing import index_encoded
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting import DistinctPages
from reml.access.storing.collection_memory import CollectionMemory
from reml.collection.disk import create_collection
from reml.contract.access import Access, Entries
from reml.index.faiss import Faiss
from reml.retrievers.bm25 import BM25
from reml.testing import TEXTS, AccessContract, MemoryCollection
from tests.truths import WordDense


def limits(asks: int | None) -> Limits:
    return Limits(depth=4, k=2, asks=asks)


def searching(folder: Path, asks: int | None) -> InformationAccess:
    retriever = BM25().index(MemoryCollection(TEXTS), folder / "bm25")
    return InformationAccess(retriever, processors=[DistinctPages()], limits=limits(asks))


class TestInformationAccess(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        return searching(folder, asks)


class TestThatStores(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        collection = create_collection(folder / "items")
        begun = index_encoded(WordDense().encoder(collection, folder), Faiss(), collection, folder / "index")
        memory = CollectionMemory().open(begun, folder / "memory")
        memory.store(Entries(np.arange(len(TEXTS)), tuple(text.lower().rstrip(".") for text in TEXTS)))
        memory.commit()
        return InformationAccess(begun, limits=limits(asks)).storing(memory)


class TestFusedAccess(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        return FusedAccess([searching(folder, None), searching(folder, None)], limits(asks))


class TestInterleavedAccess(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        return FusedAccess([searching(folder, None), searching(folder, None)], limits(asks), fusing="interleaved")


class TestFoundAccess(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        live = searching(folder, None)
        return FoundAccess(live.collection, limits(asks), live=lambda: live)
