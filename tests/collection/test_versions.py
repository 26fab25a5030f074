from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from reml.collection.disk import DiskCollection, build_collection, open_collection
from reml.contract.vectors import Int64Array
from reml.files.atomic import CorruptError, file_digest
from tests.dying import dies, memory_folder
from tests.memory_pages import numbered_page, numbered_pages


def _rows(*numbers: int) -> Int64Array:
    return np.array(numbers, dtype=np.int64)


def _held(collection: DiskCollection) -> dict[int, str]:
    collection.verify()
    return {item.row: item.text for item in collection.get(collection.rows())}


@pytest.fixture
def collection(tmp_path: Path) -> DiskCollection:
    """Version 3 of 20 rows in three segments: a page appended, then a row deleted."""
    return _third_version(tmp_path / "c")


def _third_version(folder: Path) -> DiskCollection:
    collection = build_collection(numbered_pages(10), folder, words=3, segment_rows=8)
    collection.append([numbered_page(10)])
    collection.delete(_rows(5))
    return collection


def _append(folder: Path) -> None:
    # Two segments, the first of them with what the last one before held: a merge and a plain one.
    open_collection(folder).append([numbered_page(number) for number in range(20, 26)])


def _append_texts(folder: Path) -> None:
    open_collection(folder).append_texts(["one", "two"])


def _delete(folder: Path) -> None:
    open_collection(folder).delete(_rows(0, 21))


def _prune(folder: Path) -> None:
    open_collection(folder).prune()


@pytest.mark.parametrize("step", [4, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("work", [_append, _append_texts, _delete, _prune])
def test_a_writer_killed_at_any_instant_leaves_the_former_version_or_the_new(
    work: Callable[[Path], None], step: int
) -> None:
    with memory_folder() as home:
        former = _held(_third_version(home / "start"))
        shutil.copytree(home / "start", home / "done")
        work(home / "done")
        new, instant, folder = _held(open_collection(home / "done")), 1, home / "killed"
        shutil.copytree(home / "start", folder)
        while dies(work, folder, instant):
            opened = open_collection(folder)
            assert _held(opened) == (former if opened.version == 3 else new), f"killed at instant {instant}"
            assert [open_collection(folder, number).version for number in opened.versions()] == opened.versions()
            if opened.version == 3:
                work(folder)
            assert _held(open_collection(folder)) == new
            shutil.rmtree(folder)
            shutil.copytree(home / "start", folder)
            instant += step
    assert instant > 5


_FULL = """
import resource, sys
from pathlib import Path
from tests.collection.test_versions import _append, _append_texts, _delete
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
globals()[sys.argv[2]](Path(sys.argv[1]))
"""


@pytest.mark.parametrize("limit", [0, 130, 400])
@pytest.mark.parametrize("work", [_append_texts, _delete])
def test_a_full_disk_leaves_the_former_version(
    collection: DiskCollection, work: Callable[[Path], None], limit: int
) -> None:
    former = _held(collection)
    command = [sys.executable, "-c", _FULL, str(collection.folder), work.__name__, str(limit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "File too large while writing to" in ended.stderr
    assert "what was there before is intact. Make room and run again" in ended.stderr
    assert (_held(open_collection(collection.folder)), ended.returncode) == (former, 1)
    work(collection.folder)
    assert open_collection(collection.folder).version == 4


def test_prune_keeps_the_newest_versions_and_what_they_need(collection: DiskCollection) -> None:
    collection.append([numbered_page(11)])
    collection.prune(keep=2)
    assert collection.versions() == [3, 4]
    assert [len(_held(open_collection(collection.folder, number))) for number in (3, 4)] == [21, 23]
    with pytest.raises(ValueError, match="has no version 1; it has 3, 4"):
        collection.changes_since(1)
    with pytest.raises(ValueError, match="keep is 0"):
        collection.prune(keep=0)


def test_readers_of_a_pruned_version_keep_it(collection: DiskCollection) -> None:
    reader = open_collection(collection.folder)
    before = _held(reader)
    collection.append([numbered_page(11)])
    collection.prune()
    assert not (collection.folder / "segments" / "000000000020-000000000022").exists()
    assert {item.row: item.text for item in reader.get(reader.rows())} == before
    assert reader.by_page("p10")


def test_prune_removes_what_killed_writers_left(collection: DiskCollection) -> None:
    draft = "segments/.000000000022-000000000024.1a2b3c4d"
    for name in (draft, "versions/00000009", "segments/000000000022-000000000030"):
        (collection.folder / name).mkdir()
    (collection.folder / ".manifest.json.1a2b3c4d").touch()
    collection.prune()
    left = {path.name for path in collection.folder.glob("*/*")} | {path.name for path in collection.folder.glob(".*")}
    assert left == {
        "000000000000-000000000008",
        "000000000008-000000000016",
        "000000000016-000000000020",
        "000000000020-000000000022",
        "00000003",
        "00000003.i64",
        ".lock",
    }


def _every_file(folder: Path) -> list[Path]:
    needed = ["manifest.json", "deleted/*", "segments/*/*"]
    return sorted(path for pattern in needed for path in folder.glob(pattern))


def test_a_file_cut_short_or_missing_is_named_on_opening(collection: DiskCollection) -> None:
    for path in _every_file(collection.folder):
        data = path.read_bytes()
        for damaged in (data[:-2], b"", None):
            path.unlink()
            if damaged is not None:
                path.write_bytes(damaged)
            with pytest.raises(CorruptError, match=rf"{path.name}.* `reml repair "):
                open_collection(collection.folder)
            path.write_bytes(data)
    assert len(_held(open_collection(collection.folder))) == 21


def test_a_flipped_byte_is_named_on_opening(collection: DiskCollection) -> None:
    for path in _every_file(collection.folder):
        data = path.read_bytes()
        for place in range(0, len(data), max(1, len(data) // 20)):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            with pytest.raises(CorruptError, match=path.name if path.name == "manifest.json" else path.parent.name):
                open_collection(collection.folder)
        path.write_bytes(data)
    open_collection(collection.folder).verify()


@pytest.mark.parametrize("damage", ["{}", "[]", '{"kind": "collection"}', '{"kind": "index"}', "{"])
def test_a_manifest_of_something_else_is_refused(collection: DiskCollection, damage: str) -> None:
    (collection.folder / "manifest.json").write_text(damage)
    with pytest.raises(CorruptError, match=r"manifest.json"):
        open_collection(collection.folder)


def test_a_manifest_changed_by_hand_is_refused(collection: DiskCollection) -> None:
    path = collection.folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"settings": {**content["settings"], "words": 4}}))
    with pytest.raises(CorruptError, match=r"manifest.json is not what was written"):
        open_collection(collection.folder)


def test_the_manifest_says_what_the_collection_is_made_of(collection: DiskCollection) -> None:
    content = json.loads((collection.folder / "manifest.json").read_text())
    assert (content["kind"], content["version"], content["source"]) == ("collection", 3, numbered_pages(10).fingerprint)
    assert content["settings"] == {"words": 3, "segment_rows": 8}
    assert content["counts"] == {"rows": 22, "deleted": 1, "pages": 11}
    assert content["fingerprint"] == collection.fingerprint
    first = content["segments"][0]
    path = collection.folder / "segments" / "000000000000-000000000008" / first["files"][0]["name"]
    assert (first["rows"], first["files"][0]["digest"]) == (8, file_digest(path))
