from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.collection.disk import DiskCollection, build_collection, create_collection, open_collection
from reml.collection.passages import Units, passage_text
from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.collections import Collection
from reml.contract.examples import Item, Page, Span
from reml.contract.vectors import Int64Array
from reml.files.atomic import CorruptError, LockedError, StaleError, locked
from tests.memory_pages import MemoryPages, numbered_page, numbered_pages


def rows(*numbers: int) -> Int64Array:
    return np.array(numbers, dtype=np.int64)


def texts(collection: Collection) -> dict[int, str]:
    return {item.row: item.text for batch in collection.batches(7) for item in batch}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "collection"


@pytest.fixture
def collection(folder: Path) -> DiskCollection:
    """Ten pages of two passages each (3 words and 2), in segments of four rows."""
    return build_collection(numbered_pages(10), folder, words=3, segment_rows=4)


def test_items_come_in_the_order_asked_for_duplicates_included(collection: DiskCollection) -> None:
    items = collection.get(rows(19, 0, 7, 0))
    assert [item.row for item in items] == [19, 0, 7, 0]
    assert items[2] == Item(7, "w3.3 w3.4", "Title 3", "p3", Span(1, 15, 1, 24))
    assert collection.get(rows()) == []


def test_a_row_that_is_not_there_is_named(collection: DiskCollection) -> None:
    with pytest.raises(KeyError, match=r"2 rows, \[20, -1\] first, are not in version 1 .*20 items in rows 0 to 19"):
        collection.get(rows(3, 20, -1))


def test_batches_stream_in_row_order_from_any_row(collection: DiskCollection) -> None:
    seen = [[item.row for item in batch] for batch in collection.batches(3, start=6)]
    assert [row for batch in seen for row in batch] == list(range(6, 20))
    assert max(map(len, seen)) == 3
    assert list(collection.batches(3, start=20)) == []
    with pytest.raises(ValueError, match="size is 0"):
        collection.batches(0)


def test_pages_and_titles_are_found_exactly(folder: Path) -> None:
    pages = [numbered_page(0), numbered_page(1, title="Same"), numbered_page(2), numbered_page(3, title="Same")]
    collection = build_collection(MemoryPages(pages), folder, words=3, segment_rows=2)
    assert [item.row for item in collection.by_page("p2")] == [4, 5]
    assert [(item.row, item.page_id) for item in collection.by_title("Same")] == [
        (2, "p1"),
        (3, "p1"),
        (6, "p3"),
        (7, "p3"),
    ]
    assert collection.by_page("p") == collection.by_title("same") == collection.by_title("") == []


def test_a_collection_fulfils_the_protocol_and_opens_from_a_pickle(collection: DiskCollection) -> None:
    assert isinstance(collection, Collection)
    again = pickle.loads(pickle.dumps(collection))  # noqa: S301 - what a DataLoader's worker gets
    assert (texts(again), again.version, again.fingerprint) == (texts(collection), 1, collection.fingerprint)
    assert repr(again) == repr(collection) == f"DiskCollection({str(collection.folder)!r}, version=1)"


def test_what_is_appended_is_a_new_version_and_readers_keep_theirs(collection: DiskCollection) -> None:
    reader = open_collection(collection.folder)
    assert collection.append([numbered_page(10), numbered_page(11, words=2)]).tolist() == [20, 21, 22]
    assert (collection.version, len(collection), len(collection.by_page("p11"))) == (2, 23, 1)
    assert (reader.version, len(reader), reader.by_page("p11")) == (1, 20, [])
    assert reader.fingerprint != collection.fingerprint
    reader.refresh()
    assert (reader.version, reader.fingerprint) == (2, collection.fingerprint)


def test_deleted_rows_are_gone_and_never_used_again(collection: DiskCollection) -> None:
    collection.delete(rows(19, 4, 4))
    assert (len(collection), collection.version) == (18, 2)
    assert [item.row for item in collection.by_page("p2")] == [5]
    assert collection.rows().tolist() == [row for row in range(20) if row not in (4, 19)] == list(texts(collection))
    for gone in (4, 19, 20):
        with pytest.raises(KeyError, match=f"\\[{gone}\\] first, are not in version 2 .*2 deleted"):
            collection.delete(rows(gone))
    assert collection.append([numbered_page(30, words=1)]).tolist() == [20]


def test_a_page_is_replaced_by_deleting_and_appending_it(collection: DiskCollection) -> None:
    with pytest.raises(ValueError, match=r"page id 'p9' is given twice: to page 10 \(row 18\) and to page 11"):
        collection.append([numbered_page(9, words=1)])
    collection.delete(rows(18))
    with pytest.raises(ValueError, match=r"'p9' is given twice: to page 10 \(row 19\)"):
        collection.append([numbered_page(9, words=1)])
    collection.delete(rows(19))
    assert collection.append([numbered_page(9, words=1)]).tolist() == [20]
    assert [item.text for item in collection.by_page("p9")] == ["w9.0"]


def test_nothing_to_append_or_delete_makes_no_version(collection: DiskCollection) -> None:
    assert collection.append([]).tolist() == collection.append_texts([]).tolist() == []
    collection.delete(rows())
    assert collection.version == 1


def test_texts_are_items_and_pages_of_their_own(folder: Path) -> None:
    memory = create_collection(folder, words=3)
    assert (len(memory), memory.rows().tolist(), memory.version) == (0, [], 1)
    stored = memory.append_texts(["one two three four ", "five"], title="notes")
    assert stored.tolist() == [0, 1]
    assert [(item.text, item.title, item.span) for item in memory.get(stored)] == [
        ("one two three four ", "notes", Span(1, 0, 1, 19)),
        ("five", "notes", Span(1, 0, 1, 4)),
    ]
    memory.delete(rows(1))
    memory.append_texts(["six"])
    assert [item.page_id for item in memory.get(memory.rows())] == ["text-0", "text-2"]
    with pytest.raises(ValueError, match=r"texts \[1\] are blank"):
        memory.append_texts(["six", " \n"])


def test_writers_take_turns_and_go_on_from_the_newest_version(collection: DiskCollection) -> None:
    other = open_collection(collection.folder)
    collection.append([numbered_page(10)])
    assert other.append([numbered_page(11)]).tolist() == [22, 23]
    assert other.version == 3
    with locked(collection.folder), pytest.raises(LockedError, match="another process is writing"):
        collection.delete(rows(0))
    assert (collection.version, len(open_collection(collection.folder))) == (2, 24)


def test_any_version_that_is_kept_can_be_opened(collection: DiskCollection) -> None:
    collection.delete(rows(0))
    collection.append([numbered_page(10)])
    assert collection.versions() == [1, 2, 3]
    assert [len(open_collection(collection.folder, number)) for number in (1, 2, 3)] == [20, 19, 21]
    with pytest.raises(ValueError, match="has no version 4; it has 1, 2, 3"):
        open_collection(collection.folder, version=4)


def test_changes_name_what_came_and_what_went(collection: DiskCollection) -> None:
    collection.append([numbered_page(10), numbered_page(11, words=1)])
    collection.delete(rows(3, 21))
    collection.delete(rows(5))
    since = {number: collection.changes_since(number) for number in (1, 2, 3, 4)}
    assert {number: since[number].added.tolist() for number in since} == {1: [20, 22], 2: [], 3: [], 4: []}
    assert {number: since[number].deleted.tolist() for number in since} == {1: [3, 5], 2: [3, 5, 21], 3: [5], 4: []}
    with pytest.raises(ValueError, match="version 4 is newer"):
        open_collection(collection.folder, 3).changes_since(4)


def test_a_build_that_fits_opens_at_once_and_any_other_is_refused(collection: DiskCollection) -> None:
    collection.append([numbered_page(10)])
    before = {path: path.stat().st_mtime_ns for path in collection.folder.rglob("*")}
    source = numbered_pages(10)
    assert len(build_collection(source, collection.folder, words=3)) == 22
    with pytest.raises(StaleError, match=r"passages of 3 words, not 4. Move it away"):
        build_collection(source, collection.folder, words=4)
    with pytest.raises(StaleError, match=r"from other pages .*Move it away"):
        build_collection(MemoryPages([numbered_page(0)]), collection.folder, words=3)
    assert {path: path.stat().st_mtime_ns for path in collection.folder.rglob("*")} == before


def test_other_files_and_other_collections_are_never_written_over(tmp_path: Path, collection: DiskCollection) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(FileExistsError, match=r"holds other files .*thesis.tex"):
        build_collection(MemoryPages([numbered_page(0)]), tmp_path)
    with pytest.raises(FileExistsError, match="holds a collection already"):
        create_collection(collection.folder)
    assert not (tmp_path / "segments").exists()


def test_whole_pages_are_items(tmp_path: Path) -> None:
    source = MemoryPages([numbered_page(0, words=500), Page("t", "Title", ("Title\n", "")), numbered_page(1)])
    collection = build_collection(source, tmp_path / "whole", words=None)
    assert [len(item.text.split()) for item in collection.get(collection.rows())] == [500, 0, 5]
    assert collection.words is None
    assert len(build_collection(source, tmp_path / "whole", words=None)) == 3
    assert collection.append([numbered_page(2, words=300)]).tolist() == [3]
    with pytest.raises(StaleError, match=r"with whole pages, not passages of 100 words. Move it away"):
        build_collection(source, tmp_path / "whole")
    build_collection(source, tmp_path / "cut")
    with pytest.raises(StaleError, match=r"with passages of 100 words, not whole pages. Move it away"):
        build_collection(source, tmp_path / "cut", words=None)


def test_a_folder_without_a_collection_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match=r"has no manifest.json"):
        open_collection(tmp_path / "nowhere")


@pytest.mark.parametrize(("words", "segment_rows"), [(0, 1), (1, 0)])
def test_settings_of_nothing_are_refused(folder: Path, words: int, segment_rows: int) -> None:
    with pytest.raises(ValueError, match=f"words is {words} and segment_rows {segment_rows}: both must be at least 1"):
        build_collection(numbered_pages(1), folder, words=words, segment_rows=segment_rows)
    assert not folder.exists()


def test_the_fingerprint_is_the_content_s(tmp_path: Path) -> None:
    def build(name: str, *pages: Page) -> str:
        return build_collection(MemoryPages(pages), tmp_path / name).fingerprint

    assert build("a", numbered_page(0), numbered_page(1)) == build("b", numbered_page(0), numbered_page(1))
    assert (
        len(
            {
                build("c", numbered_page(0)),
                build("d", numbered_page(1)),
                build("e", numbered_page(0, words=6)),
                build("f", numbered_page(0, title="x")),
            }
        )
        == 4
    )


_PAGES = st.lists(st.integers(1, 6), max_size=4)
_CHANGES = st.lists(st.one_of(st.tuples(st.just("append"), _PAGES), st.tuples(st.just("delete"), _PAGES)), max_size=8)


@settings(max_examples=20, deadline=None)
@given(changes=_CHANGES)
def test_any_changes_agree_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, list[int]]]
) -> None:
    collection = create_collection(tmp_path_factory.mktemp("any") / "c", words=3, segment_rows=8)
    expected: dict[int, str] = {}
    states, next_row, next_page = [expected], 0, 0
    for kind, numbers in changes:
        expected = dict(expected)
        if kind == "append":
            added = collection.append([numbered_page(next_page + place, words) for place, words in enumerate(numbers)])
            pieces = [f"w{next_page + place}" for place, words in enumerate(numbers) for _ in range(-(-words // 3))]
            assert added.tolist() == list(range(next_row, next_row + len(pieces)))
            expected |= dict(zip(added.tolist(), pieces, strict=True))
            next_row, next_page = next_row + len(pieces), next_page + len(numbers)
        else:
            gone = {row for row in numbers if row in expected}
            collection.delete(rows(*gone))
            expected = {row: text for row, text in expected.items() if row not in gone}
        states += [expected] * (collection.version - len(states))
    for version, state in enumerate(states, start=1):
        opened = open_collection(collection.folder, version)
        assert {row: text.split(".")[0] for row, text in texts(opened).items()} == state
        assert opened.rows().tolist() == sorted(state)
        assert [len(opened.by_page(f"p{number}")) for number in range(next_page)] == [
            list(state.values()).count(f"w{number}") for number in range(next_page)
        ]
        opened.verify()


def test_real_pages_are_held_whole(shared: Path, folder: Path) -> None:
    source = JsonlPages(shared / "minikilt" / "knowledge_source.jsonl.gz")
    collection = build_collection(source, folder, segment_rows=20_000)
    assert len(collection) == 48_780
    for real in list(source.pages())[::997]:
        items = collection.by_page(real.id)
        assert items
        assert [item.text for item in items] == [passage_text(real, item.span) for item in items if item.span]
        assert {item.title for item in items} == {real.title}


def test_a_collection_remembers_what_its_passages_are_made_of(tmp_path: Path) -> None:
    source, units = MemoryPages([Page("1", "A", ("A", "One is. Two is. Three is."))]), Units("sentences", 2, 1)
    built = build_collection(source, tmp_path / "c", words=None, units=units)
    assert [item.text for item in built.get(built.rows())] == ["One is. Two is.", "Two is. Three is."]
    opened = open_collection(tmp_path / "c")
    assert (opened.units, opened.words) == (units, None)
    opened.append([Page("2", "B", ("B", "Four is. Five is. Six is."))])
    assert [item.text for item in opened.by_page("2")] == ["Four is. Five is.", "Five is. Six is."]
    with pytest.raises(StaleError, match=r"was built of Units\(unit='sentences', size=2, overlap=1\), not of"):
        build_collection(source, tmp_path / "c", words=None)
