from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.collection.disk import DiskCollection, build_collection, create_collection
from reml.contract.examples import Item, Media, Page, Span
from reml.files.atomic import CorruptError
from reml.testing import TEXTS, MemoryCollection
from tests.memory_pages import MemoryPages


def page(number: int, passages: int) -> Page:
    text = " ".join(f"w{word}" for word in range(2 * passages - 1))  # the last passage of 2 words has one
    return Page(f"p{number}", f"Title {number}", (f"Title {number}", text))


@pytest.fixture
def collection(tmp_path: Path) -> DiskCollection:
    pages = MemoryPages([page(0, 2), page(1, 1), page(2, 3)])
    return build_collection(pages, tmp_path / "c", words=2, segment_rows=3)


def test_every_collection_numbers_its_pages_and_counts_words(collection: DiskCollection) -> None:
    rows = np.array([[5, -1, 0], [2, 1, 3]])
    numbers, words = collection.values("page", rows), collection.values("words", rows)
    assert numbers.tolist() == [[2, 0, 0], [1, 0, 2]]
    assert words.tolist() == [[1, 0, 2], [1, 1, 2]]
    assert numbers.dtype == words.dtype == np.int64
    items = collection.get(collection.rows())
    ids = [item.page_id for item in items]
    places = collection.values("page", collection.rows()).tolist()
    assert [ids[places.index(place)] for place in places] == ids
    assert collection.values("words", collection.rows()).tolist() == [len(item.text.split()) for item in items]


def test_no_rows_have_no_values(collection: DiskCollection) -> None:
    assert collection.values("page", np.empty((2, 0), np.int64)).shape == (2, 0)


def test_columns_are_given_with_rows_and_the_rest_has_zeros(collection: DiskCollection) -> None:
    target = np.array([[1.5, 2], [3, 4]], dtype=np.float32)
    rows = collection.append_texts(["one", "two"], values={"target": target})
    found = collection.values("target", np.array([rows[1], -1, 0, rows[0]]))
    assert found.dtype == np.float32
    assert found.tolist() == [[3, 4], [0, 0], [0, 0], [1.5, 2]]
    again = DiskCollection(collection.folder)
    assert again.values("target", rows).tolist() == target.tolist()
    assert DiskCollection(collection.folder, 1).version == 1
    again.verify()


def test_pages_that_fill_several_segments_keep_their_values(tmp_path: Path) -> None:
    collection = create_collection(tmp_path / "c", words=2, segment_rows=3)
    rows = collection.append([page(number, 2) for number in range(5)], values={"number": np.arange(10)})
    assert len(list((collection.folder / "segments").iterdir())) > 1
    assert collection.values("number", rows).tolist() == list(range(10))


appends = st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(appends, st.randoms(use_true_random=False))
def test_values_outlive_compaction_deletes_and_reopening(
    tmp_path_factory: pytest.TempPathFactory, appended: list[tuple[int, bool]], random: object
) -> None:
    collection = create_collection(tmp_path_factory.mktemp("any") / "c", segment_rows=6)
    expected: dict[int, int] = {}
    for count, given_values in appended:
        numbers = np.arange(count, dtype=np.int32) + 7
        rows = collection.append_texts([f"t{n}" for n in range(count)], values={"n": numbers} if given_values else None)
        expected.update(zip(rows.tolist(), numbers.tolist() if given_values else [0] * count, strict=True))
    collection.delete(collection.rows()[::3])
    if any(given_values for _, given_values in appended):
        for opened in (collection, DiskCollection(collection.folder)):
            live = opened.rows()
            assert opened.values("n", live).tolist() == [expected[row] for row in live.tolist()]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"n": np.zeros(3)}, "2 rows are appended with values for .'n': 3."),
        ({"n": np.zeros(1)}, "2 rows are appended with values for .'n': 1."),
        ({"page": np.zeros(2)}, "cannot be named 'page'"),
        ({"No way": np.zeros(2)}, "cannot be named 'No way'"),
        ({"n": np.array(["a", "b"])}, "give numbers"),
        ({"n": np.zeros((2, 0))}, "give numbers"),
        ({"kept": np.zeros(2)}, "holds int64 of shape .. a row, and float64"),
        ({"kept": np.zeros((2, 2), np.int64)}, r"int64 of shape .2,. are given"),
    ],
)
def test_what_does_not_fit_leaves_all_as_it_was(
    collection: DiskCollection, values: Mapping[str, npt.NDArray[np.float64]], told: str
) -> None:
    collection.append_texts(["first"], values={"kept": np.array([5])})
    before = (collection.version, collection.fingerprint, len(collection))
    with pytest.raises(ValueError, match=told):
        collection.append_texts(["one", "two"], values=values)
    again = DiskCollection(collection.folder)
    assert (again.version, again.fingerprint, len(again)) == before


def test_a_column_or_row_that_is_not_there_is_named(collection: DiskCollection) -> None:
    collection.append_texts(["x"], values={"b": np.ones(1), "a": np.ones(1)})
    with pytest.raises(KeyError, match=r"has no column 'c'; it has page, words, a, b\. Give values with the rows"):
        collection.values("c", np.array([0]))
    for wrong in (7, -2):
        with pytest.raises(KeyError, match="are not in version 2"):
            collection.values("page", np.array([wrong]))


def test_a_damaged_column_is_named(collection: DiskCollection) -> None:
    collection.append_texts(["x"], values={"n": np.ones(1)})
    (path,) = collection.folder.glob("segments/*/column.n.npy")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptError, match=r"column\.n\.npy"):
        DiskCollection(collection.folder)


def test_items_come_back_with_their_media_and_fields(collection: DiskCollection) -> None:
    media = (Media("image", "a.png"), Media("video", "b.mp4", 1.5, 4.0))
    given_items = [
        Item(0, "caption", "T", "q", Span(1, 0, 1, 7), media),
        Item(0, "next", "T", "q", None, (), {"answer": "é", "author": ""}),
        Item(0, media=media[:1]),
        Item(0, "plain text"),
    ]
    rows = collection.append_items(given_items, values={"n": np.arange(4)})
    collection.append_texts(["later", "and later"])  # compacts
    for opened in (collection, DiskCollection(collection.folder)):
        found = opened.get(rows)
        ids = ["q", "q", f"item-{rows[2]}", f"item-{rows[3]}"]
        assert found == [
            Item(row, item.text, item.title, page_id, item.span, item.media, item.fields)
            for row, page_id, item in zip(rows.tolist(), ids, given_items, strict=True)
        ]
        assert [item.span for item in opened.by_page("p2")] == [Span(1, 0, 1, 5), Span(1, 6, 1, 11), Span(1, 12, 1, 14)]
        assert opened.values("page", rows).tolist() == [3, 3, 4, 5]
        opened.verify()


def test_items_with_nothing_in_them_are_refused(collection: DiskCollection) -> None:
    with pytest.raises(ValueError, match=r"items \[1\] have nothing to store"):
        collection.append_items([Item(0, "x"), Item(0, " ")])


def test_a_collection_without_columns_has_the_files_it_always_had(collection: DiskCollection) -> None:
    names = {path.name for path in collection.folder.glob("segments/*/*")}
    assert names == {"items.arrow", "pages.u64", "titles.u64"}
    assert collection.fingerprint == "1d216efdc000d465", "the same bytes as before there were columns"


def test_a_collection_in_memory_has_values_too() -> None:
    collection = MemoryCollection(TEXTS, values={"n": np.arange(10).reshape(5, 2)})
    rows = np.array([[4, -1]])
    assert collection.values("page", rows).tolist() == [[4, 0]]
    assert collection.values("words", rows).tolist() == [[len(TEXTS[4].split()), 0]]
    assert collection.values("n", rows).tolist() == [[[8, 9], [0, 0]]]
    with pytest.raises(KeyError, match="there is no column 'm'; there are page, words, n"):
        collection.values("m", rows)
