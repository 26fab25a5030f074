"""The access models that there are, by their contract."""

from __future__ import annotations

from pathlib import Path

from reml.access.composed_access import FoundAccess, FusedAccess
from reml.access.encoded_retriever import EncodedRetriever
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting import DistinctPages
from reml.access.storing.collection_memory import CollectionMemory
from reml.collection.disk import create_collection
from reml.contract.access import Access
from reml.index.faiss import FaissIndex
from reml.retrievers.bm25 import BM25
from reml.testing import TEXTS, AccessContract, MemoryCollection
from tests.truths import WIDTH, WordEncoder


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
        collection = create_collection(folder / "memory")
        retriever = EncodedRetriever(collection, WordEncoder(), FaissIndex(WIDTH, "Flat"))
        memory = CollectionMemory(collection, retriever)
        collection_rows = collection.append_texts([text.lower().rstrip(".") for text in TEXTS])
        retriever.extend(collection.get(collection_rows))
        return InformationAccess(retriever, storage=memory, limits=limits(asks))


class TestFusedAccess(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        return FusedAccess([searching(folder, None), searching(folder, None)], limits(asks))


class TestFoundAccess(AccessContract):
    def make(self, folder: Path, asks: int | None = None) -> Access:
        live = searching(folder, None)
        return FoundAccess(live.collection, limits(asks), live=lambda: live)
