"""Category 2: a predictor writes, and finds later; over BM25, its fusion, sparse and dense encoders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.storing import CollectionMemory
from reml.collection.disk import DiskCollection, create_collection
from reml.contract.access import Entries, Storage, StorageHandler
from reml.contract.examples import Example, Item, Media, texts_of
from reml.contract.retrieved import Hits, Queries, Rows
from reml.contract.retrievers import Retriever
from reml.contract.vectors import DenseVectors, Similarity, SparseVectors
from reml.index.faiss import Faiss
from reml.index.impact import Impact, ImpactIndex
from reml.retrievers.bm25 import BM25
from reml.retrievers.fusion import Fusion
from reml.testing import MemoryCollection, StorageContract

WORDS = ("red", "green", "blue", "ball", "door", "one", "two", "three")
TEXTS = ("the red ball", "the green door", "a blue ball")
NUMBERS = ("zero", "one", "two", "three")


class Words:
    """Counts of a few words."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "words"

    def encode_queries(self, contents: Sequence[str | Media]) -> SparseVectors:
        texts = texts_of(contents, self)
        chosen = [[number for number, word in enumerate(WORDS) if word in text.split()] for text in texts]
        indptr = np.cumsum([0, *map(len, chosen)], dtype=np.int64)
        flat = np.array([number for row in chosen for number in row], dtype=np.int32)
        return SparseVectors(indptr, flat, np.ones(len(flat), dtype=np.float32), len(WORDS))

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        return self.encode_queries([item.text for item in items])


class DenseWords:
    """The same as dense vectors, compared by distance."""

    similarity: Similarity = "l2"

    def fingerprint(self) -> str:
        return "dense words"

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        rows = [[float(word in text.split()) for word in WORDS] for text in texts]
        return DenseVectors(np.array(rows, dtype=np.float32).reshape(len(texts), len(WORDS)))

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return self.encode_queries([item.text for item in items])


def collection_in(folder: Path, texts: Sequence[str] = TEXTS) -> DiskCollection:
    collection = create_collection(folder)
    collection.append_texts(texts)
    return collection


class TestBM25(StorageContract):
    def make(self) -> Storage:
        return CollectionMemory()

    def retriever(self, folder: Path) -> Retriever:
        return BM25().index(collection_in(folder / "items"), folder / "index")

    def entry(self, number: int) -> Entries:
        return Entries(np.zeros(1, dtype=np.int64), (f"a {NUMBERS[number]} ball",))

    def query(self, number: int) -> Queries:
        return Queries.of([NUMBERS[number]])


class TestEmpty(TestBM25):
    def make(self) -> Storage:
        return CollectionMemory(empty=True)


class TestFusion(TestBM25):
    def retriever(self, folder: Path) -> Retriever:
        return Fusion([BM25(), BM25(b=0.0)]).index(collection_in(folder / "items"), folder / "index")


class TestSparse(TestBM25):
    def retriever(self, folder: Path) -> Retriever:
        return index_encoded(Words(), Impact(), collection_in(folder / "items"), folder / "index")


class TestDense(TestBM25):
    def retriever(self, folder: Path) -> Retriever:
        return index_encoded(DenseWords(), Faiss(similarity="l2"), collection_in(folder / "items"), folder / "index")


class TestEmptyDense(TestDense):
    def make(self) -> Storage:
        return CollectionMemory(empty=True)


@pytest.fixture
def base(tmp_path: Path) -> Retriever:
    return BM25().index(collection_in(tmp_path / "items"), tmp_path / "index")


def opened(base: Retriever, folder: Path, *, empty: bool = False) -> tuple[StorageHandler, InformationAccess]:
    memory = CollectionMemory(empty=empty).open(base, folder)
    return memory, InformationAccess(base, limits=Limits(depth=4, k=2)).storing(memory)


def texts(found: Sequence[Sequence[Item]]) -> list[list[str]]:
    return [[item.text for item in items] for items in found]


def test_what_was_written_stands_beside_what_it_began_with(base: Retriever, tmp_path: Path) -> None:
    memory, access = opened(base, tmp_path / "memory")
    assert access.category == 2
    session = access.open([Example("1", "ball"), Example("2", "door")])
    assert session.write(Entries(np.arange(2), ("a yellow door", "a purple ball"))).tolist() == [3, 4]
    memory.commit()
    assert texts(access([Example("1", "yellow door")]).items) == [["a yellow door", "the green door"]]
    assert [len(base.collection), len(memory.retriever.collection)] == [3, 5]
    same = (tmp_path / "items/segments").rglob("items.arrow")
    assert {path.stat().st_nlink for path in same} == {2}, "no byte of the base is there twice"


def test_an_empty_memory_finds_only_what_was_written(base: Retriever, tmp_path: Path) -> None:
    memory, access = opened(base, tmp_path / "memory", empty=True)
    assert access([Example("1", "ball")]).rows.tolist() == [[-1, -1]]
    access.open([Example("1", "")]).write(Entries(np.arange(1), ("a purple ball",)))
    memory.commit()
    assert texts(access([Example("1", "ball")]).items) == [["a purple ball"]]


def test_own_queries_of_a_session_that_wrote_are_answered_anew(base: Retriever, tmp_path: Path) -> None:
    _, access = opened(base, tmp_path / "memory")
    examples = [Example("1", "purple ball")]
    session = access.open(examples, access.search(examples))
    assert "a purple ball" not in texts(session.ask().items)[0]
    session.write(Entries(np.arange(1), ("a purple ball",)))
    assert texts(session.ask().items)[0][0] == "a purple ball"


def test_what_others_wrote_stays_hidden_whatever_else_is_filtered(base: Retriever, tmp_path: Path) -> None:
    _, access = opened(base, tmp_path / "memory")
    writer, other = (access.open([Example("1", "ball")]) for _ in range(2))
    writer.write(Entries(np.zeros(2, dtype=np.int64), ("ball ball one", "ball ball two")))
    rows = np.arange(1, dtype=np.int64) * 0
    for only, seen in ((Rows.of([[0]], excluded=True), [2]), (Rows.of([[2, 3]]), [2])):
        asked = Queries(rows, ("ball",), only=only)
        assert [row for row in other.ask(asked, 4).rows[0] if row >= 0] == seen
    assert set(other.ask(Queries.of(["ball"]), 0).rows[0]) == {0, 1, 2}, "softly neither"
    assert set(writer.ask(Queries.of(["ball"]), 0).rows[0]) == {0, 1, 2, 3, 4}


def test_numbers_are_kept_beside_the_texts(base: Retriever, tmp_path: Path) -> None:
    _, access = opened(base, tmp_path / "memory")
    session = access.open([Example("1", "")])
    session.write(Entries(np.zeros(2, dtype=np.int64), ("one", "two"), values={"turn": torch.tensor([7, 8])}))
    found = session.ask(Queries.of(["two ball"]), 3)
    assert session.values("turn", found)[0].tolist() == [8, 0, 0]


def test_numbers_in_bfloat16_are_kept_in_float32(base: Retriever, tmp_path: Path) -> None:
    """As what a predictor computes in mixed precision is, and as numpy has no such numbers."""
    _, access = opened(base, tmp_path / "memory")
    session = access.open([Example("1", "")])
    written = torch.tensor([0.5, 2.5], dtype=torch.bfloat16)
    session.write(Entries(np.zeros(2, dtype=np.int64), ("one", "two"), values={"sure": written}))
    found = session.ask(Queries.of(["two ball"]), 1)
    assert session.values("sure", found).dtype == torch.float32
    assert session.values("sure", found)[0].tolist() == [2.5]


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (Entries(np.arange(1), (" ",)), r"texts \[0\] are blank: there is nothing to store"),
        (Entries(np.arange(1), states=torch.ones(1, 2)), "keeps `contents`, which its retriever encodes"),
        (Entries(np.arange(1), ("a",), at=np.arange(1)), "leave out `at` and `erase`"),
        (Entries(np.arange(1), ("a",), values={"page": torch.ones(1)}), "a column cannot be named 'page'"),
        (Entries(np.arange(1) + 4, ("a",)), "owners are positions in the batch of 1 examples"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_stored(
    base: Retriever, tmp_path: Path, entries: Entries, said: str
) -> None:
    memory, access = opened(base, tmp_path / "memory")
    with pytest.raises(ValueError, match=said):
        access.open([Example("1", "")]).write(entries)
    assert (len(memory.pending), len(memory.retriever.collection)) == (0, 3)


class Fixed:
    """A retriever that finds what it found."""

    def __init__(self, collection: DiskCollection) -> None:
        self.collection = collection

    def search(self, queries: Queries, k: int) -> Hits:
        return Hits.empty(len(queries), k)

    def score(self, queries: Queries, rows: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> torch.Tensor:
        return torch.zeros(rows.shape)


def test_retrievers_and_collections_that_cannot_grow_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Fixed cannot find what is written after it was built"):
        CollectionMemory().open(Fixed(collection_in(tmp_path / "items")), tmp_path / "memory")
    memory = EncodedRetriever(MemoryCollection(TEXTS), Words(), ImpactIndex(len(WORDS)))
    with pytest.raises(ValueError, match="begins with a collection on disk, not with a MemoryCollection"):
        CollectionMemory().open(memory, tmp_path / "memory")
    assert not (tmp_path / "memory").exists()


def test_a_version_that_is_not_there_is_named(base: Retriever, tmp_path: Path) -> None:
    opened(base, tmp_path / "memory")
    with pytest.raises(ValueError, match="has no version 9; it has 2"):
        CollectionMemory().open(base, tmp_path / "memory", 9)
