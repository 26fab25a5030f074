from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.collection.disk import DiskCollection, build_collection
from reml.contract.collections import Collection
from reml.contract.examples import Page
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Retriever
from reml.files.atomic import CorruptError, LockedError, StaleError, locked
from reml.retrievers.bm25 import counts
from reml.retrievers.bm25.folder import BM25Folder
from reml.retrievers.bm25.retriever import BM25, BM25Retriever, Variant, Weighting
from reml.retrievers.bm25.state import State
from reml.testing import MemoryCollection
from reml.text.analysis import Analyser
from tests.damage import flip
from tests.dying import dies, memory_folder
from tests.memory_pages import MemoryPages

WORDS = ("cat", "dog", "bird", "eel", "newt", "fish", "horse", "toad")
ASKED = Queries.of([*WORDS, "cat dog", "bird bird eel", "horse newt toad fish"])
TEXTS = ("cat cat dog", "dog bird", "fish bird bird eel")


def _collection(folder: Path, texts: Sequence[str]) -> DiskCollection:
    return build_collection(MemoryPages([_page(number, text) for number, text in enumerate(texts)]), folder)


def _page(number: int, text: str) -> Page:
    return Page(f"p{number}", f"t{number}", (f"t{number}", text))


def _answers(retriever: Retriever, collection: Collection) -> dict[tuple[int, str], float]:
    """Give the score of every hit, by query and the item's text: row ids differ between two collections."""
    hits: Hits = retriever.search(ASKED, 30)
    found = [(query, place) for query, place in zip(*np.nonzero(hits.mask), strict=True)]
    items = collection.get(hits.rows[hits.mask])
    return {
        (int(query), f"{item.page_id} {item.text}"): float(hits.scores[query, place])
        for (query, place), item in zip(found, items, strict=True)
    }


def _assert_fresh(retriever: Retriever, collection: DiskCollection, settings: BM25, folder: Path) -> None:
    """See that a retriever answers as one does that was just built for what the collection holds now."""
    fresh = settings.index(collection, folder / "fresh")
    expected, found = _answers(fresh, collection), _answers(retriever, collection)
    shutil.rmtree(folder / "fresh")
    assert found == pytest.approx(expected, rel=1e-5, abs=0)


texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=12).map(" ".join)
# Each step appends some texts and deletes some of the rows there are, by their place.
steps = st.lists(
    st.tuples(st.lists(texts, max_size=3), st.lists(st.integers(0, 30), max_size=3), st.booleans()), max_size=3
)


@settings(max_examples=15)
@given(st.lists(texts, min_size=1, max_size=4), steps, st.sampled_from(get_args(Variant)))
def test_after_any_history_scores_are_those_of_a_fresh_build(
    first: list[str], history: list[tuple[list[str], list[int], bool]], variant: Variant
) -> None:
    chosen = BM25(variant=variant, title=False)
    with memory_folder() as folder:
        collection = _collection(folder / "collection", first)
        retriever = chosen.index(collection, folder / "index")
        for added, deleted, reopened in history:
            collection.append_texts(added)
            rows = collection.rows()
            collection.delete(rows[[place for place in deleted if place < len(rows)]])
            retriever = chosen.index(collection, folder / "index") if reopened else retriever
            _assert_fresh(retriever, collection, chosen, folder)


def test_statistics_follow_the_collection_by_hand(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    retriever = BM25(title=False).index(collection, tmp_path / "index")
    assert isinstance(retriever, BM25Retriever)
    collection.append_texts(["newt cat", "the dog"])
    collection.delete(np.array([2]))
    retriever.catch_up()
    encoder = retriever.encoder
    frequencies = dict(zip(encoder.vocabulary.terms, encoder.statistics.frequencies.tolist(), strict=True))
    assert frequencies == {"cat": 2, "dog": 3, "bird": 1, "fish": 0, "eel": 0, "newt": 1}
    assert (encoder.statistics.items, encoder.statistics.length) == (4, 3 + 2 + 2 + 1)
    assert retriever.search(Queries.of(["eel", "newt"]), 2).rows.tolist() == [[-1, -1], [3, -1]]


def test_only_what_is_new_is_analysed(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    BM25().index(collection, tmp_path / "index")
    before = set((tmp_path / "index").glob("counts-*/*"))
    collection.append_texts(["newt"])
    BM25().index(collection, tmp_path / "index")
    after = set((tmp_path / "index").glob("counts-*/*"))
    assert before < after
    (new,) = after - before
    with np.load(new) as file:
        assert file["rows"].tolist() == [3]
    assert len(list((tmp_path / "index").glob("state-*"))) == 1, "the former state is removed"


def _counted_rows(folder: Path) -> list[int]:
    """Give the rows that the files of counts hold, deleted ones included."""
    rows: list[int] = []
    for path in sorted(folder.glob("counts-*/*")):
        with np.load(path) as file:
            rows += file["rows"].tolist()
    return sorted(rows)


def test_counts_of_deleted_items_go_once_they_are_a_quarter(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", [*TEXTS, "newt cat", "the dog"])
    chosen, index = BM25(title=False), tmp_path / "index"
    retriever = chosen.index(collection, index)
    before = set(index.glob("counts-*/*"))
    collection.delete(np.array([1]))
    _assert_fresh(retriever, collection, chosen, tmp_path)
    assert set(index.glob("counts-*/*")) == before, "a fifth is too little to write all anew"
    assert _counted_rows(index) == [0, 1, 2, 3, 4]
    collection.delete(np.array([3]))
    _assert_fresh(retriever, collection, chosen, tmp_path)
    assert _counted_rows(index) == [0, 2, 4]
    assert not set(index.glob("counts-*/*")) & before
    collection.append_texts(["cat eel"])
    collection.delete(np.array([0]))
    other = BM25(title=False, k1=1.7, variant="bm25+")
    _assert_fresh(other.index(collection, index), collection, other, tmp_path)
    assert _counted_rows(index) == [2, 4, 5]


def test_counts_of_many_small_commits_are_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reml.retrievers.bm25.folder.COMPACTED_FILES", 4)
    collection = _collection(tmp_path / "collection", TEXTS)
    retriever = BM25(title=False).index(collection, tmp_path / "index")
    files = []
    for word in WORDS:
        collection.append_texts([word])
        _assert_fresh(retriever, collection, BM25(title=False), tmp_path)
        files.append(len(list((tmp_path / "index").glob("counts-*/*"))))
    assert files == [2, 3, 4, 1, 2, 3, 4, 1]
    assert _counted_rows(tmp_path / "index") == list(range(11))


def test_joined_counts_fill_files_and_keep_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reml.retrievers.bm25.folder.BATCH", 2)
    monkeypatch.setattr("reml.retrievers.bm25.counts.BATCH", 2)
    collection = _collection(tmp_path / "collection", [f"cat {word}" for word in WORDS])
    retriever = BM25(title=False).index(collection, tmp_path / "index")
    collection.delete(np.array([1, 2, 5]))
    _assert_fresh(retriever, collection, BM25(title=False), tmp_path)
    held = []
    for path in sorted((tmp_path / "index").glob("counts-*/*")):
        with np.load(path) as file:
            held.append(file["rows"].tolist())
    assert held == [[0, 3], [4, 6, 7]]  # of [0, 1], [2, 3], [4, 5] and [6, 7], without 1, 2 and 5


def test_a_collection_may_lose_all_its_items(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    retriever = BM25(title=False).index(collection, tmp_path / "index")
    collection.delete(collection.rows())
    assert not retriever.search(ASKED, 3).mask.any()
    assert not list((tmp_path / "index").glob("counts-*"))
    collection.append_texts(["newt"])
    assert retriever.search(Queries.of(["newt"]), 1).rows.tolist() == [[3]]


@pytest.mark.parametrize("variant", get_args(Variant))
def test_another_weighting_is_made_from_the_counts(variant: Variant, tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    BM25(title=False).index(collection, tmp_path / "index")
    counts = {path: path.stat().st_mtime_ns for path in (tmp_path / "index").glob("counts-*/*")}
    other = BM25(k1=1.7, b=0.9, variant=variant, delta=0.7, title=False)
    _assert_fresh(other.index(collection, tmp_path / "index"), collection, other, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "index").glob("counts-*/*")} == counts
    again = BM25(title=False)
    _assert_fresh(again.index(collection, tmp_path / "index"), collection, again, tmp_path)


def test_counts_are_kept_in_files_of_a_batch_and_may_be_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reml.retrievers.bm25.folder.BATCH", 2)
    collection = MemoryCollection(["cat " * 300, "dog", "cat", "cat dog eel", "newt"])
    retriever = BM25(title=False, k1=2.0, b=0.0).index(collection, tmp_path / "index")
    assert len(list((tmp_path / "index").glob("counts-*/*"))) == 3
    # Of 5 items 3 have "cat": idf x 300 / (300 + 2), and so on.
    idf = np.log(1 + (5 - 3 + 0.5) / (3 + 0.5))
    hits = retriever.search(Queries.of(["cat"]), 3)
    assert hits.rows.tolist() == [[0, 2, 3]]
    np.testing.assert_allclose(hits.scores[0], [idf * 300 / 302, idf / 3, idf / 3], rtol=1e-6)
    assert counts.BATCH >= 4096, "small files are for this test only"


def test_another_collection_an_older_version_and_a_pruned_one_are_refused(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    BM25().index(collection, tmp_path / "index")
    other = _collection(tmp_path / "other", [*TEXTS, "newt"])
    with pytest.raises(StaleError, match="other items"):
        BM25().index(other, tmp_path / "index")
    collection.append_texts(["newt"])
    BM25().index(collection, tmp_path / "index")
    with pytest.raises(StaleError, match="older version"):
        BM25().index(DiskCollection(collection.folder, 1), tmp_path / "index")
    collection.append_texts(["toad"])
    collection.prune()
    with pytest.raises(StaleError, match="pruned"):
        BM25().index(collection, tmp_path / "index")


def test_what_another_process_committed_for_a_later_version_is_not_served(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    folder = BM25Folder(tmp_path / "index", Analyser(), title=False)
    folder.follow(collection)
    later = DiskCollection(collection.folder)
    later.append_texts(["newt"])
    folder.follow(later)
    with pytest.raises(StaleError, match="older version"):
        folder.open(collection, Weighting("lucene", 0.9, 0.4, 0.5))


def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    retriever = BM25().index(collection, tmp_path / "index")
    collection.append_texts(["newt"])
    with locked(tmp_path / "index"), pytest.raises(LockedError):
        retriever.search(ASKED, 1)
    assert retriever.search(Queries.of(["newt"]), 1).rows.tolist() == [[3]]


@pytest.mark.parametrize("file", ["terms.json", "statistics.npz", "deleted.npy"])
def test_a_changed_byte_is_reported(file: str, tmp_path: Path) -> None:
    BM25().index(MemoryCollection(TEXTS), tmp_path / "index")
    (path,) = (tmp_path / "index").glob(f"state-*/{file}")
    flip(path)
    with pytest.raises(CorruptError, match=file):
        BM25().index(MemoryCollection(TEXTS), tmp_path / "index")


def test_counts_that_changed_are_reported_when_they_are_read(tmp_path: Path) -> None:
    BM25().index(MemoryCollection(TEXTS), tmp_path / "index")
    (path,) = (tmp_path / "index").glob("counts-*/*.npz")
    flip(path)
    with pytest.raises(CorruptError, match=path.name):
        BM25(k1=2.0).index(MemoryCollection(TEXTS), tmp_path / "index")
    path.unlink()
    with pytest.raises(CorruptError, match="is missing"):
        BM25(k1=2.0).index(MemoryCollection(TEXTS), tmp_path / "index")


def _append_and_catch_up(folder: Path) -> None:
    collection = DiskCollection(folder.parent / "collection")
    BM25(title=False).index(collection, folder)


@pytest.mark.slow
@pytest.mark.parametrize("deleted", [[0], [0, 2]])  # a fifth of the items stays in the counts, two fifths do not
def test_killed_at_every_tenth_instant_it_catches_up_the_next_time(deleted: list[int]) -> None:
    with memory_folder() as home:
        collection = _collection(home / "collection", TEXTS)
        before = DiskCollection(home / "collection")
        _append_and_catch_up(home / "built")
        collection.append_texts(["newt cat", "the dog"])
        collection.delete(np.array(deleted))
        for instant in itertools.count(1, 10):
            shutil.copytree(home / "built", home / "index")
            died = dies(_append_and_catch_up, home / "index", instant)
            if State.read(home / "index").origin.version == before.version:
                answers = _answers(BM25(title=False).index(before, home / "index"), before)
                assert (0, "p0 cat cat dog") in answers
            else:
                with pytest.raises(StaleError, match="older version"):
                    BM25(title=False).index(before, home / "index")
            retriever = BM25(title=False).index(collection, home / "index")
            _assert_fresh(retriever, collection, BM25(title=False), home)
            shutil.rmtree(home / "index")
            if not died:
                assert instant > 20
                return


def test_damaged_impacts_are_computed_again_once_their_folder_is_deleted(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    expected = _answers(BM25().index(collection, tmp_path / "index"), collection)
    (impacts,) = tmp_path.glob("index/state-*/impacts-*")
    (file,) = impacts.glob("segment-*/impacts.npy")
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(
        CorruptError, match=rf"impacts\.npy is not what was written.*Delete {impacts} to have that done"
    ):
        BM25().index(collection, tmp_path / "index")
    shutil.rmtree(impacts)
    assert _answers(BM25().index(collection, tmp_path / "index"), collection) == expected


def test_searches_beside_one_that_appends_each_see_one_version(tmp_path: Path) -> None:
    collection = _collection(tmp_path / "collection", TEXTS)
    retriever = BM25().index(collection, tmp_path / "index")
    states, ended = [retriever.search(ASKED, 30)], threading.Event()

    def search() -> list[tuple[int, Hits, int]]:
        seen = []
        while not ended.is_set():
            first = len(states) - 1
            seen.append((first, retriever.search(ASKED, 30), len(states)))
        return seen

    with ThreadPoolExecutor(3) as pool:
        searching = [pool.submit(search) for _ in range(3)]
        try:
            for number in range(8):
                collection.append_texts([f"eel newt {WORDS[number]}"], "more")
                states.append(retriever.search(ASKED, 30))
        finally:
            ended.set()
        found = [one for done in searching for one in done.result()]
    assert len(found) >= 3
    for first, hits, last in found:
        possible = states[first : last + 1]
        assert any((hits.rows == one.rows).all() and np.allclose(hits.scores, one.scores) for one in possible)
