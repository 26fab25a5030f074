from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from reml.collection.disk import build_collection, open_collection
from reml.collection.sources.kilt_pages import JsonlPages, write_pages
from reml.contract.examples import Page
from reml.files.atomic import CorruptError, LockedError, StaleError, file_digest, locked
from tests.dying import dies, memory_folder
from tests.memory_pages import MemoryPages, numbered_page, numbered_pages

_SEGMENT_ROWS = 8


def _build(folder: Path) -> None:
    """Build 20 rows in three segments."""
    build_collection(numbered_pages(10), folder, words=3, segment_rows=_SEGMENT_ROWS)


def _content(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): file_digest(path) for path in folder.rglob("*") if path.is_file()}


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    _build(tmp_path / "one")
    _build(tmp_path / "two")
    assert _content(tmp_path / "one") == _content(tmp_path / "two")
    segments = sorted(path.name for path in (tmp_path / "one" / "segments").iterdir())
    assert segments == ["000000000000-000000000008", "000000000008-000000000016", "000000000016-000000000020"]


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_a_build_killed_at_any_instant_goes_on_to_the_same_bytes(step: int) -> None:
    with memory_folder() as home:
        _build(home / "whole")
        whole, instant, folder = _content(home / "whole"), 1, home / "killed"
        while dies(_build, folder, instant):
            _build(folder)
            assert _content(folder) == whole, f"killed at instant {instant}"
            shutil.rmtree(folder)
            instant += step
    assert instant > 30


def _killed_after(segment: str, folder: Path) -> None:
    """Leave a build that was killed once a segment was whole."""
    instant = 1
    while not (folder / "segments" / segment).is_dir():
        shutil.rmtree(folder, ignore_errors=True)
        assert dies(_build, folder, instant)
        instant += 1


def test_what_is_built_already_is_not_built_again() -> None:
    with memory_folder() as home:
        folder = home / "killed"
        _killed_after("000000000008-000000000016", folder)
        first = folder / "segments" / "000000000000-000000000008" / "items.arrow"
        before = first.stat().st_ino
        with pytest.raises(CorruptError, match=r"is not finished. Run what builds it again"):
            open_collection(folder)
        _build(folder)
        assert first.stat().st_ino == before


def test_what_was_begun_from_other_pages_is_thrown_away() -> None:
    other = MemoryPages([numbered_page(number, title="Other") for number in range(3)])
    with memory_folder() as home:
        _killed_after("000000000000-000000000008", home / "killed")
        build_collection(other, home / "killed", words=3, segment_rows=_SEGMENT_ROWS)
        build_collection(other, home / "clean", words=3, segment_rows=_SEGMENT_ROWS)
        assert _content(home / "killed") == _content(home / "clean")


_SCRIPT = """
import sys
from reml.collection.disk import build_collection
from reml.collection.sources.kilt_pages import JsonlPages
print("ready", flush=True)
build_collection(JsonlPages(sys.argv[1]), sys.argv[2], words=20, segment_rows=100)
"""


def _started(source: Path, folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _SCRIPT, source, folder], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.slow
def test_a_real_build_killed_again_and_again_at_random_gives_the_same_bytes(tmp_path: Path, shared: Path) -> None:
    source = tmp_path / "pages.jsonl"
    pages = JsonlPages(shared / "minikilt" / "knowledge_source.jsonl.gz").pages()
    write_pages([page for page, _ in zip(pages, range(1500))], source)  # noqa: B905 - the first of many
    build_collection(JsonlPages(source), tmp_path / "whole", words=20, segment_rows=100)
    generator, kills = random.Random(0), 0
    for attempt in range(60):
        folder = tmp_path / f"killed {attempt}"
        process = _started(source, folder)
        time.sleep(generator.uniform(0, 1))
        process.kill()
        with process:
            kills += process.wait() != 0
        build_collection(JsonlPages(source), folder, words=20, segment_rows=100)
        assert _content(folder) == _content(tmp_path / "whole")
        shutil.rmtree(folder)
    assert kills > 20


_FULL = """
import resource, sys
from reml.collection.disk import build_collection
from tests.memory_pages import numbered_pages
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
build_collection(numbered_pages(10), sys.argv[1], words=3, segment_rows=8)
"""


@pytest.mark.parametrize("limit", [0, 500, 1200])
def test_a_full_disk_is_explained_and_the_next_run_goes_on(tmp_path: Path, limit: int) -> None:
    command = [sys.executable, "-c", _FULL, str(tmp_path / "full"), str(limit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "what was there before is intact. Make room and run again" in ended.stderr
    assert ended.returncode == 1
    _build(tmp_path / "full")
    _build(tmp_path / "clean")
    assert _content(tmp_path / "full") == _content(tmp_path / "clean")


@pytest.mark.parametrize(("first", "second"), [(2, 3), (0, 9), (4, 5), (0, 8)])
def test_a_page_id_given_twice_is_named_with_both_places(tmp_path: Path, first: int, second: int) -> None:
    pages = [numbered_page(number, words=5 + number) for number in range(10)]
    pages[second] = Page(pages[first].id, "Again", ("Again", "b"))
    pattern = rf"page id 'p{first}' is given twice: to page {first + 1}( \(row \d+\))? and to page {second + 1}\."
    with pytest.raises(ValueError, match=pattern):
        build_collection(MemoryPages(pages), tmp_path / "c", words=3, segment_rows=_SEGMENT_ROWS)


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (Page("", "No id", ("No id", "text")), r"page 2 \('No id'\) has an empty id"),
        (Page("7", "Empty", ()), r"page '7' \('Empty'\) has no text"),
        (Page("7", "Half", ("Half", "a \ud83d")), r"page '7' \('Half'\) has half a surrogate pair"),
    ],
)
def test_a_page_that_cannot_be_kept_is_named(tmp_path: Path, page: Page, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        build_collection(MemoryPages([numbered_page(0), page]), tmp_path / "c")


def test_a_source_without_pages_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has no pages"):
        build_collection(MemoryPages([]), tmp_path / "c")


@dataclass
class _Changing:
    """A source that changes while it is read."""

    fingerprint: str = "before"
    held: list[Page] = field(default_factory=lambda: [numbered_page(0)])

    def pages(self) -> Iterator[Page]:
        yield from self.held
        self.fingerprint = "after"


def test_a_source_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StaleError, match="changed while"):
        build_collection(_Changing(), tmp_path / "c")
    with pytest.raises(CorruptError, match="not finished"):
        open_collection(tmp_path / "c")


def test_a_second_builder_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path / "c"), pytest.raises(LockedError):
        _build(tmp_path / "c")


def test_many_small_appends_leave_few_segments(tmp_path: Path) -> None:
    collection = build_collection(numbered_pages(1), tmp_path / "c", words=3, segment_rows=64)
    for number in range(1, 60):
        collection.append([numbered_page(number)])
    collection.prune()
    names = sorted(path.name for path in (tmp_path / "c" / "segments").iterdir())
    assert 2 <= len(names) <= 6
    assert max(int(name[13:]) - int(name[:12]) for name in names) <= 64
    assert [len(collection.by_page(f"p{number}")) for number in range(60)] == [2] * 60
    assert [item.row for item in collection.get(collection.rows())] == list(range(120))
