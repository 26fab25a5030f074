"""Files on record: what is seen of a change, when they are read, and what is not read twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reml.files.atomic import MANIFEST, CorruptError, home, read_manifest, write_manifest
from reml.files.integrity import sealed as module
from reml.files.integrity.checked import CheckedFile
from reml.files.integrity.sealed import FILES, VARIABLE, check_sealed, sealed, verification
from reml.files.shared_folder import LAYOUT
from tests.damage import flip

KIND, AGAIN = "thing", "Make it again."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "thing"
    (made / "below").mkdir(parents=True)
    (made / "small").write_bytes(b"abc")
    (made / "below" / "large").write_bytes(bytes(2_000))
    (made / ".lock").touch()
    write_manifest(made, KIND, {FILES: sealed(made)})
    return made


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files of which all bytes were read. Those of more than 1,000 are large, and any may be remembered."""
    names: list[str] = []
    whole = CheckedFile.check_bytes

    def noted(file: CheckedFile, folder: Path, again: str = "") -> None:
        names.append(file.name)
        whole(file, folder, again)

    monkeypatch.setattr(CheckedFile, "check_bytes", noted)
    monkeypatch.setattr(module, "SMALL", 1_000)
    monkeypatch.setattr(module, "SETTLED_NANOSECONDS", 0)
    return names


def check(folder: Path) -> None:
    check_sealed(folder, read_manifest(folder, KIND), again=AGAIN)


def flip_unseen(path: Path) -> None:
    """Change one bit of a file, and nothing that a program can set back."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    flip(path)
    os.utime(path, ns=times)


def test_all_files_but_the_manifest_and_hidden_ones_are_on_record(folder: Path) -> None:
    known = read_manifest(folder, KIND)[FILES]
    assert isinstance(known, list)
    assert [CheckedFile.parse(one).name for one in known] == ["below/large", "small"]


def test_some_files_can_be_named(folder: Path) -> None:
    assert [CheckedFile.parse(one).name for one in sealed(folder, among=[folder / "small"])] == ["small"]


def test_large_files_are_read_once_and_small_ones_each_time(folder: Path, read: list[str]) -> None:
    check(folder)
    assert read == ["small", "below/large"]
    check(folder)
    assert read == ["small", "below/large", "small"]


@pytest.mark.parametrize("name", ["small", "below/large"])
def test_a_flipped_bit_is_seen(folder: Path, read: list[str], name: str) -> None:
    check(folder)
    flip_unseen(folder / name)
    with pytest.raises(CorruptError, match=rf"{name} is not what was written. Make it again."):
        check(folder)
    # And the next time: what is damaged is never remembered.
    with pytest.raises(CorruptError, match="is not what was written"):
        check(folder)


def test_what_is_missing_or_cut_is_seen_whatever_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "never")
    (folder / "small").write_bytes(b"ab")
    with pytest.raises(CorruptError, match=r"small has 2 bytes where 3 bytes were written. Make it again."):
        check(folder)
    (folder / "small").unlink()
    with pytest.raises(CorruptError, match="small is missing"):
        check(folder)


def test_nothing_is_read_or_everything_where_it_is_wished(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "never")
    check(folder)
    assert read == []
    monkeypatch.setenv(VARIABLE, "open")
    check(folder)
    check(folder)
    assert read == ["below/large", "small"] * 2


def test_a_file_that_has_just_changed_is_not_remembered(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SETTLED_NANOSECONDS", 10**12)
    check(folder)
    check(folder)
    assert read.count("below/large") == 2


@pytest.mark.parametrize("damage", ["", "[]", "{", '{"files": 3}'])
def test_a_damaged_note_is_made_again(folder: Path, read: list[str], damage: str) -> None:
    check(folder)
    for note in (home() / "verified").iterdir():
        note.write_text(damage)
    check(folder)
    check(folder)
    assert read.count("below/large") == 2


def test_a_folder_that_was_moved_or_copied_is_read(folder: Path, read: list[str]) -> None:
    check(folder)
    check(folder.rename(folder.parent / "moved"))
    assert read.count("below/large") == 2


def test_notes_on_what_is_in_a_home_are_in_that_home(folder: Path, read: list[str]) -> None:
    (folder.parent / LAYOUT).touch()
    check(folder)
    check(folder)
    assert read.count("below/large") == 1
    assert len(list((folder.parent / "verified").iterdir())) == 1
    assert not (home() / "verified").exists()


@pytest.mark.parametrize("place", ["file", "~nobody-of-this-name"])
def test_without_a_home_everything_is_still_read(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REML_HOME", place)
    check(folder)
    check(folder)
    assert read.count("below/large") == 2


def test_what_has_no_records_is_of_a_former_version(tmp_path: Path) -> None:
    check_sealed(tmp_path, {}, again=AGAIN)


def test_records_that_are_none_are_named(folder: Path) -> None:
    with pytest.raises(CorruptError, match=rf"{MANIFEST} is not what was written: a file's record .* Make it again."):
        check_sealed(folder, {FILES: [{"name": "small"}]}, again=AGAIN)


def test_another_policy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "always")
    with pytest.raises(ValueError, match="REML_VERIFY is 'always': give first, open or never"):
        verification()
