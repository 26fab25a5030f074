"""Old or new, at every instant: folders that replace others, killed between any two calls."""

from __future__ import annotations

import errno
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reml.files.atomic import atomic_file, atomic_folder, locked, read_manifest, write_manifest, write_text
from reml.files.replacing import drafts
from reml.files.replacing.drafts import adopt, is_draft, is_stream, put_in_place, sweep
from reml.files.replacing.exchange import exchange
from tests.faulty.calls import watched
from tests.faulty.failing import dying
from tests.files.replacing.forking import forked, status

LONG_AGO = time.time() - 3600
DAYS_AGO = time.time() - 3 * 24 * 3600


def cannot(one: Path, other: Path) -> bool:
    """Say, as a file system such as NFS does, that two names cannot change places."""
    return False


def write(final: Path, text: str) -> None:
    with atomic_folder(final) as draft:
        (draft / "inner").mkdir()
        (draft / "inner" / "part").write_text(text)
        write_manifest(draft, "thing", {"text": text})


def aged(folder: Path, to: float) -> None:
    for path in (*folder.rglob("*"), *folder.iterdir()):
        os.utime(path, (to, to), follow_symlinks=False)


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@pytest.mark.parametrize("exchanged", [True, False], ids=["exchange", "no exchange"])
def test_a_writer_killed_before_any_call_leaves_the_old_or_the_new_one(
    exchanged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanged:
        monkeypatch.setattr(drafts, "exchange", cannot)
    found, number, ended = [], 0, 9
    while ended == 9:
        number += 1
        home = tmp_path / str(number)
        home.mkdir()
        write(home / "ix", "old")

        def killed(home: Path = home, number: int = number) -> None:
            with dying(home, number):
                write(home / "ix", "new")

        ended = status(forked(killed))
        assert ended in (0, 9)
        found.append(str(read_manifest(home / "ix", "thing")["text"]))
        assert (home / "ix" / "inner" / "part").read_text() == found[-1]
        aged(home, DAYS_AGO)
        write(home / "ix", "third")
        assert (home / "ix" / "inner" / "part").read_text() == "third"
        assert left(home) == [], f"killed before call {number}"
    assert number > 15
    assert found == sorted(found, reverse=True), "first the old one, then the new one"
    assert {*found} == {"old", "new"}


def test_a_name_that_is_not_there_is_taken_by_the_newest_whole_folder(tmp_path: Path) -> None:
    for name, text, at in (("0000000a.old", "old", 3), ("0000000b.new", "older", 1), ("0000000c.new", "new", 2)):
        write(tmp_path / f".ix.{name}", text)
        os.utime(tmp_path / f".ix.{name}", (at, at))
    write(tmp_path / ".ix.0000000d", "not whole")
    assert read_manifest(tmp_path / "ix", "thing")["text"] == "new"
    shutil.rmtree(tmp_path / "ix")
    assert adopt(tmp_path / "ix")
    assert not adopt(tmp_path / "ix")
    shutil.rmtree(tmp_path / "ix")
    with locked(tmp_path / "ix"):
        assert (tmp_path / "ix" / "inner" / "part").read_text() == "old"
    assert left(tmp_path) == [".ix.0000000d"]


def test_a_reader_that_adopts_while_the_writer_is_at_it_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "exchange", cannot)
    write(tmp_path / "ix", "old")
    adopted: list[str | None] = []

    def told(kind: str, path: str | None) -> None:
        if kind == "rename" and not (tmp_path / "ix").exists() and not adopted:
            adopted.append(path)
            assert read_manifest(tmp_path / "ix", "thing")["text"] == "new"

    with watched(tmp_path, told):
        write(tmp_path / "ix", "new")
    assert adopted
    assert read_manifest(tmp_path / "ix", "thing")["text"] == "new"
    assert left(tmp_path) == []


def test_two_names_change_places_in_one_step(tmp_path: Path) -> None:
    write(tmp_path / "a", "a")
    write(tmp_path / "b", "b")
    if not exchange(tmp_path / "a", tmp_path / "b"):
        pytest.skip("this file system cannot")
    assert read_manifest(tmp_path / "a", "thing")["text"] == "b"
    assert read_manifest(tmp_path / "b", "thing")["text"] == "a"
    with pytest.raises(OSError, match="No such file"):
        exchange(tmp_path / "a", tmp_path / "absent")


def test_files_and_folders_are_synced_before_the_name_and_the_parent_after_it(tmp_path: Path) -> None:
    calls: list[tuple[str, str]] = []

    def told(kind: str, path: str | None) -> None:
        calls.append((kind, path or ""))

    real, synced = os.fsync, []

    def fsync(handle: int) -> None:
        synced.append((len(calls), Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with watched(tmp_path, told):
            write(tmp_path / "ix", "new")
    named = max(place for place, (kind, _) in enumerate(calls) if kind == "rename")
    before = [path for at, path in synced if at <= named]
    (draft,) = {path for path in before if path.parent == tmp_path}
    everything = [draft / "inner" / "part", draft / "inner", draft]
    assert [path for path in before if path in everything][-3:] == everything
    assert [path for at, path in synced if at > named] == [tmp_path]


def test_a_link_in_the_place_of_a_folder_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    write(tmp_path / "far", "old")
    (tmp_path / "ix").symlink_to(tmp_path / "far")
    write(tmp_path / "ix", "new")
    assert not (tmp_path / "ix").is_symlink()
    assert read_manifest(tmp_path / "far", "thing")["text"] == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["far", "ix"]


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_nothing_can_be_locked_drafts_are_held_for_a_day(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with atomic_folder(tmp_path / "ix") as draft, atomic_file(tmp_path / "file") as other:
        for at, there in ((LONG_AGO, True), (DAYS_AGO, False)):
            aged(tmp_path, at)
            sweep(tmp_path / "ix")
            sweep(tmp_path / "file")
            assert (draft.exists(), other.exists()) == (there, there)
        draft.mkdir()
        other.touch()


def test_a_large_file_that_grows_shows_that_a_draft_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "_CAN_HOLD", False)
    with atomic_folder(tmp_path / "ix") as draft:
        (draft / "part").touch()
        aged(tmp_path, DAYS_AGO)
        (draft / "part").write_text("more")
        os.utime(draft, (DAYS_AGO, DAYS_AGO))
        sweep(tmp_path / "ix")
        assert draft.exists()


def test_locks_are_taken_on_what_is_open_for_writing_as_nfs_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    real = fcntl.flock

    def flock(handle: int, operation: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "open it for writing")
        real(handle, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with atomic_folder(tmp_path / "ix") as draft, atomic_file(tmp_path / "file") as other:
        aged(tmp_path, DAYS_AGO)
        sweep(tmp_path / "ix")
        sweep(tmp_path / "file")
        assert draft.exists()
        assert other.exists()
    (tmp_path / ".ix.0123abcd").mkdir()
    (tmp_path / ".ix.0123abcd" / ".held").touch()
    aged(tmp_path, LONG_AGO)
    sweep(tmp_path / "ix")
    assert left(tmp_path) == []


def test_a_draft_that_is_dated_ahead_is_swept(tmp_path: Path) -> None:
    (tmp_path / ".name.0123abcd").touch()
    aged(tmp_path, time.time() + 3600)
    write_text(tmp_path / "name", "text")
    assert left(tmp_path) == []


def test_a_name_says_whether_it_is_a_draft() -> None:
    for name in (".ix.0123abcd", ".ix.0123abcd.new", ".ix.0123abcd.old", ".a.b.c.0123abcd"):
        assert is_draft(name)
    for name in ("ix.0123abcd", ".ix.0123abcde", ".ix.0123abcd.txt", ".0123abcd", ".git", ".ix.GGGGGGGG"):
        assert not is_draft(name)


def test_a_new_name_that_fails_gives_the_old_one_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drafts, "exchange", cannot)
    write(tmp_path / "ix", "old")
    draft = tmp_path / ".ix.0123abcd"
    write(draft, "new")
    renames = []

    def told(kind: str, path: str | None) -> None:
        if kind == "rename":
            renames.append(path)
            if len(renames) == 4:
                raise OSError(errno.EIO, "Input/output error", path)

    with watched(tmp_path, told), pytest.raises(OSError, match="Input/output"):
        put_in_place(draft, tmp_path / "ix")
    assert read_manifest(tmp_path / "ix", "thing")["text"] == "old"
    assert left(tmp_path) == []


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(path.read_text)
        write_text(path, "said")
        assert read.result(timeout=30) == "said"
    assert path.is_fifo()
    assert [one.name for one in tmp_path.iterdir()] == ["pipe"]


def test_devices_and_links_of_the_system_are_known_before_anything_takes_their_place(tmp_path: Path) -> None:
    for name in ("/dev/null", "/dev/stdout", "/dev/fd/1"):
        assert is_stream(Path(name)) == Path(name).exists(), name
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "file").touch()
    assert not any(map(is_stream, [tmp_path, tmp_path / "file", tmp_path / "link", tmp_path / "absent"]))
