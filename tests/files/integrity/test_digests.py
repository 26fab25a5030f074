from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from reml.files.atomic import file_digest, home
from reml.files.integrity.digests import remembered_digest


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files whose times of change are old enough to be trusted."""
    folder = tmp_path_factory.mktemp("settled")
    for name in ("remembered", "changed", "damaged"):
        (folder / name).write_text("one")
    time.sleep(2.1)
    return folder


def test_a_digest_is_remembered_while_the_file_stays(settled: Path) -> None:
    path = settled / "remembered"
    assert remembered_digest(path) == file_digest(path)
    (note,) = (home() / "digests").iterdir()
    note.write_text(note.read_text().replace(file_digest(path), "from the note"))
    assert remembered_digest(path) == "from the note"


def test_a_change_that_keeps_size_and_time_is_seen(settled: Path) -> None:
    path = settled / "changed"
    before, times = remembered_digest(path), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_text("two")
    os.utime(path, ns=times)
    assert remembered_digest(path) == file_digest(path) != before


@pytest.mark.parametrize("damage", ["", "[]", "{"])
def test_a_damaged_note_is_made_again(settled: Path, damage: str) -> None:
    path = settled / "damaged"
    remembered_digest(path)
    (note,) = (home() / "digests").iterdir()
    note.write_text(damage)
    assert remembered_digest(path) == file_digest(path)


def test_a_file_that_was_just_written_is_not_remembered(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.write_text("one")
    remembered_digest(path)
    assert not (home() / "digests").exists()
