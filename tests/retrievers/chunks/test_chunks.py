"""Pages are cut into chunks of tokens whole, each with the next one of its page; any retriever of ours finds them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.collection.disk import build_collection
from reml.contract.examples import Example, Page
from reml.contract.retrieved import Queries, Rows
from reml.contract.retrievers import DerivingIndexer, Indexer
from reml.files.atomic import CorruptError, StaleError
from reml.retrievers.bm25 import BM25
from reml.retrievers.chunks import Chunks
from reml.retrievers.chunks.chunk_table import ChunkTable
from reml.testing import MemoryCollection
from reml.text.chunks import document_number
from tests.memory_pages import MemoryPages
from tests.tiny_gpt2 import write_gpt2

M = 8
TEXTS = ("The harbour exports copper.", "Zinc", "", "Penguins on ice")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_gpt2(tmp_path_factory.mktemp("gpt2"))


@pytest.fixture(scope="module")
def table(folder: str, tmp_path_factory: pytest.TempPathFactory) -> ChunkTable:
    made = Chunks(folder, retriever=BM25(), chunk=M).index(MemoryCollection(TEXTS), tmp_path_factory.mktemp("chunks"))
    assert isinstance(made.collection, ChunkTable)
    return made.collection


def test_it_is_an_indexer_that_makes_rows_of_its_own() -> None:
    assert isinstance(Chunks(), Indexer)
    assert isinstance(Chunks(), DerivingIndexer)


def test_each_page_is_cut_whole_and_continues_within_itself(table: ChunkTable) -> None:
    """A byte is a token: what a row holds can be read off the texts."""
    rows = table.rows()
    expected = [
        (page, text[at : at + M], text[at + M :][:M])
        for page, text in enumerate(TEXTS)
        for at in range(0, len(text), M)
    ]
    assert len(table) == len(rows) == len(expected) == 4 + 1 + 2
    tokens, following = table.values("tokens", rows), table.values("continuation", rows)
    assert tokens.shape == following.shape == (7, M)
    assert tokens.dtype == np.int64
    for row, (page, text, then) in enumerate(expected):
        assert [table.tokeniser.decode(one[one >= 0]) for one in (tokens[row], following[row])] == [text, then]
        assert (tokens[row] >= 0).sum() == len(text)
        assert table.values("page", rows)[row] == page
        assert table.values("document", rows)[row] == document_number(str(page))
        assert table.values("words", rows)[row] == len(text.split())


def test_an_item_is_the_text_of_its_chunk_on_its_page(table: ChunkTable) -> None:
    items = table.get(np.array([5, 0, 5]))
    assert [(item.row, item.text, item.title, item.page_id) for item in items] == [
        (5, "Penguins", "Page 3", "3"),
        (0, "The harb", "Page 0", "0"),
        (5, "Penguins", "Page 3", "3"),
    ]
    assert [[item.row for item in part] for part in table.batches(2, 4)] == [[4, 5], [6]]


def test_where_there_is_no_row_there_are_no_tokens(table: ChunkTable) -> None:
    rows = np.array([[0, -1], [-1, -1]])
    for column in ("tokens", "continuation"):
        found = table.values(column, rows)
        assert found.shape == (2, 2, M)
        assert (found[rows < 0] == -1).all()
        assert (found[0, 0] >= 0).all()
    assert table.values("document", rows)[1].tolist() == [0, 0]
    assert table.values("tokens", np.zeros((2, 0), dtype=np.int64)).shape == (2, 0, M)


def test_what_is_not_there_is_named(table: ChunkTable) -> None:
    with pytest.raises(KeyError, match="no column 'target'; they have page, words, tokens, continuation, document"):
        table.values("target", np.array([0]))
    for ask in (table.get, lambda rows: table.values("tokens", rows)):
        with pytest.raises(KeyError, match=r"rows \[7\] are not in the collection of 7 chunks"):
            ask(np.array([0, 7]))


def test_passages_of_a_page_are_one_document(folder: str, tmp_path: Path) -> None:
    pages = [Page("a", "A", ("A", "one two three four five six")), Page("b", "B", ("B", "seven"))]
    collection = build_collection(MemoryPages(pages), tmp_path / "pages", words=2)
    assert len(collection) == 4
    table = Chunks(folder, retriever=BM25(), chunk=M).index(collection, tmp_path / "chunks").collection
    said = "".join(item.text for item in table.get(table.rows()) if item.page_id == "a")
    assert said == "one two\nthree four\nfive six"
    first = table.values("continuation", np.array([0]))[0]
    assert [int(one) for one in table.values("tokens", np.array([1]))[0]] == first.tolist()
    assert (table.values("continuation", table.rows()[-1:]) == -1).all()


def test_a_chunk_finds_its_like_on_other_pages_alone(folder: str, tmp_path: Path) -> None:
    texts = ["copper is mined", "copper is mined", "grain is grown"]
    retriever = Chunks(folder, retriever=BM25(), chunk=16).index(MemoryCollection(texts), tmp_path / "chunks")
    session = InformationAccess(retriever, limits=Limits(depth=3, k=2)).open([Example("1", "x")])
    queries = Queries(np.zeros(2, np.int64), (texts[0], texts[0]), only=Rows.of([[0], []], excluded=True))
    found = session.ask(queries, 2)
    assert found.rows[0].tolist() == [1, -1]
    assert found.rows[1].tolist() == [0, 1]
    assert session.values("tokens", found).shape == (2, 2, 16)


def test_it_opens_again_and_is_refused_to_other_chunks(folder: str, tmp_path: Path) -> None:
    collection = MemoryCollection(TEXTS)
    made = Chunks(folder, retriever=BM25(), chunk=M).index(collection, tmp_path / "chunks").collection
    again = Chunks(folder, retriever=BM25(), chunk=M).index(collection, tmp_path / "chunks").collection
    assert again.fingerprint == made.fingerprint
    other = Chunks(folder, retriever=BM25(), chunk=M + 1)
    with pytest.raises(StaleError, match="Delete that folder to have it built again"):
        other.index(collection, tmp_path / "chunks")
    assert other.index(collection, tmp_path / "other").collection.fingerprint != made.fingerprint


def test_a_flipped_bit_is_told(folder: str, tmp_path: Path) -> None:
    settings = Chunks(folder, retriever=BM25(), chunk=M)
    settings.index(MemoryCollection(TEXTS), tmp_path / "chunks")
    for name in ("tokens.i32", "document.i64", "first.i64"):
        file = tmp_path / "chunks" / "table" / "rows" / name
        content = file.read_bytes()
        file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(CorruptError, match=rf"{name} is not what was written\. Delete .*/table to have it built"):
            settings.index(MemoryCollection(TEXTS), tmp_path / "chunks")
        file.write_bytes(content)


def test_pages_without_a_token_are_no_chunks(folder: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no page has a token"):
        Chunks(folder, retriever=BM25()).index(MemoryCollection(["", ""]), tmp_path / "chunks")
