from __future__ import annotations

import json
import multiprocessing
import os
import resource
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.files.atomic import (
    CorruptError,
    LockedError,
    atomic_file,
    atomic_folder,
    digest,
    file_digest,
    home,
    locked,
    read_json,
    read_manifest,
    usable_home,
    write_json,
    write_manifest,
    write_text,
)
from reml.files.integrity.owned import Made

LONG_AGO = time.time() - 3600


def test_a_folder_is_there_only_when_its_block_ended_well(tmp_path: Path) -> None:
    final = tmp_path / "new" / "index"
    with atomic_folder(final) as draft:
        (draft / "part").write_text("x")
        assert not final.exists()
    assert (final / "part").read_text() == "x"
    assert list(final.parent.iterdir()) == [final]


def test_a_folder_whose_block_raises_leaves_nothing_and_keeps_the_former_one(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "index") as draft:
        (draft / "part").write_text("former")
    with pytest.raises(FileNotFoundError), atomic_folder(tmp_path / "index") as draft:
        (draft / "absent").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["index"]
    assert (tmp_path / "index" / "part").read_text() == "former"


def test_a_folder_takes_the_place_of_the_former_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with atomic_folder(tmp_path / "index", Made(("a", "b"))) as draft:
            (draft / name).touch()
    assert [path.name for path in (tmp_path / "index").iterdir()] == ["b"]
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_a_file_whose_block_raises_leaves_the_former_one(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "former")
    with pytest.raises(NotADirectoryError), atomic_file(tmp_path / "a.txt") as draft:
        (draft / "inside").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "former"


def test_others_may_read_what_the_users_mask_allows(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "text")
        with atomic_folder(tmp_path / "index"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o750


def test_a_full_disk_leaves_the_former_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "former")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_text(tmp_path / "a.txt", "x" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "former"


def _die_in_folder(final: Path) -> None:
    with atomic_folder(final) as draft:
        (draft / "part").touch()
        os.kill(os.getpid(), signal.SIGKILL)


def _die_in_file(final: Path) -> None:
    with atomic_file(final) as draft:
        draft.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("work", [_die_in_folder, _die_in_file])
def test_the_draft_of_a_killed_process_is_swept_by_the_next(tmp_path: Path, work: Callable[[Path], None]) -> None:
    process = multiprocessing.get_context("forkserver").Process(target=work, args=(tmp_path / "name",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    with atomic_folder(tmp_path / "name"):
        pass
    assert left.exists(), "a draft this young may have a writer that has not taken hold of it yet"
    os.utime(left, (LONG_AGO, LONG_AGO))
    with atomic_folder(tmp_path / "name"):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_the_draft_of_a_living_process_is_not_swept(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "name") as slow:
        (slow / "part").touch()
        os.utime(slow, (LONG_AGO, LONG_AGO))
        with atomic_folder(tmp_path / "name") as quick:
            (quick / "part").write_text("quick")
    assert (tmp_path / "name" / "part").read_text() == ""
    assert [path.name for path in (tmp_path / "name").iterdir()] == ["part"]


def test_only_drafts_are_swept(tmp_path: Path) -> None:
    bystanders = {".name.lock", ".name.12345678.txt", ".other.12345678", "name.12345678"}
    for name in bystanders:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (LONG_AGO, LONG_AGO))
    write_text(tmp_path / "name", "text")
    assert {path.name for path in tmp_path.iterdir()} == {*bystanders, "name"}


def test_a_lock_has_one_holder_and_ends_with_its_block(tmp_path: Path) -> None:
    with locked(tmp_path / "index"), pytest.raises(LockedError, match=r"index.*Wait"), locked(tmp_path / "index"):
        pytest.fail("two writers hold one lock")
    with locked(tmp_path / "index"):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    process = multiprocessing.get_context("forkserver").Process(target=_die_in_lock, args=(tmp_path / "index",))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with locked(tmp_path / "index"):
        pass


def _die_in_lock(folder: Path) -> None:
    with locked(folder):
        os.kill(os.getpid(), signal.SIGKILL)


def test_whoever_waits_is_told_and_then_gets_the_lock(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    taken, free = context.Event(), context.Event()
    process = context.Process(target=_hold_until, args=(tmp_path / "index", taken, free))
    process.start()
    assert taken.wait(30)
    with pytest.raises(LockedError, match=r"index.*Wait"), locked(tmp_path / "index"):
        pytest.fail("two processes hold one lock")
    with locked(tmp_path / "index", wait=free.set):
        assert free.is_set()
    process.join()


def _hold_until(folder: Path, taken: Event, free: Event) -> None:
    with locked(folder):
        taken.set()
        free.wait(30)


WITHOUT_FCNTL = """
import sys, warnings
sys.modules["fcntl"] = None  # importing it raises ImportError, as where it is absent
warnings.simplefilter("ignore")
from pathlib import Path
from reml.files.atomic import LockedError, atomic_folder, locked
import reml.files.fetching.http_transfer
folder = Path(sys.argv[1])
with atomic_folder(folder / "made") as draft:
    (draft / "part").touch()
with locked(folder):
    try:
        with locked(folder):
            sys.exit("two writers hold one lock")
    except LockedError:
        print("one writer")
with locked(folder):
    print(*sorted(path.name for path in folder.iterdir()))
"""


def test_where_there_is_no_fcntl_a_lock_is_taken_all_the_same(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", WITHOUT_FCNTL, str(tmp_path)], check=False, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == "one writer\n.lock made\n"


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists))
def test_json_comes_back(tmp_path_factory: pytest.TempPathFactory, value: bool | int | str | None) -> None:
    path = tmp_path_factory.mktemp("json") / "value.json"
    write_json(path, value)
    assert read_json(path) == value


def test_half_a_surrogate_pair_is_written_escaped_and_comes_back(tmp_path: Path) -> None:
    value = {"answer": "é \ud800 \\ud800 x"}
    write_json(tmp_path / "value.json", value)
    assert read_json(tmp_path / "value.json") == value
    assert "é" in (tmp_path / "value.json").read_text(encoding="utf-8")
    assert digest("\ud800") != digest("\\ud800")


def test_digests_tell_values_and_their_borders_apart(tmp_path: Path) -> None:
    assert digest({"a": 1, "b": [2]}) == digest({"b": [2], "a": 1})
    assert len({digest("ab"), digest("a", "b"), digest(["a", "b"]), digest(b"ab"), digest("ba")}) == 5
    (tmp_path / "file").write_bytes(b"abc")
    before = file_digest(tmp_path / "file")
    (tmp_path / "file").write_bytes(b"abd")
    assert file_digest(tmp_path / "file") != before


def test_a_manifest_says_what_made_a_folder(tmp_path: Path) -> None:
    write_manifest(tmp_path, "index", {"items": 3})
    manifest = read_manifest(tmp_path, "index")
    assert (manifest["kind"], manifest["items"]) == ("index", 3)
    assert isinstance(manifest["reml"], str)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "has no manifest.json"),
        ("{", r"manifest\.json is not readable JSON"),
        ("\udc80", r"manifest\.json is not readable JSON"),
        ("[]", "does not describe a index"),
        (json.dumps({"kind": "run"}), "does not describe a index"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "manifest.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorruptError, match=message) as refused:
        read_manifest(tmp_path, "index")
    assert "Delete" not in str(refused.value), "it may be all that there is of what was stored"


def test_no_flipped_bit_of_a_manifest_is_taken_for_what_was_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, "index", {"items": 3, "parts": [1.5, None, "é"]})
    path, whole = tmp_path / "manifest.json", read_manifest(tmp_path, "index")
    data = path.read_bytes()
    for place in range(8 * len(data)):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << place % 8
        path.write_bytes(changed)
        try:
            assert read_manifest(tmp_path, "index") == whole, "white space alone may be other"
        except CorruptError:
            continue


def test_home_is_what_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REML_HOME", str(tmp_path))
    assert home() == tmp_path
    monkeypatch.setenv("REML_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home() == tmp_path / ".cache" / "reml"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("file", "{0}/file cannot be the home, where all is kept: {0}/file is a file; name a folder to write to, by"),
        ("file/in/it", "{0}/file is a file;"),
        ("dangling", "{0}/dangling is a link to {0}/nowhere, which is not there;"),
        ("dangling/in/it", "{0}/dangling is a link to {0}/nowhere, which is not there;"),
        ("pipe", "{0}/pipe is a file;"),
        ("round", "{0}/round is a link to {0}/round, which is not there;"),
    ],
)
def test_what_can_be_no_home_is_said(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to(tmp_path / "round")
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setenv("REML_HOME", str(tmp_path / name))
    for one in (None, tmp_path / name):
        with pytest.raises(OSError, match="cannot be the home") as caught:
            usable_home(one)
        assert said.format(tmp_path) in str(caught.value)


def test_what_can_be_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there")
    for name in ("there", "link", "new", "new/in/it", "link/new", "."):
        assert usable_home(tmp_path / name) == tmp_path / name
    monkeypatch.setenv("HOME", str(tmp_path))
    assert usable_home("~/new") == tmp_path / "new"
    monkeypatch.setenv("REML_HOME", "~no_such_user/x")
    with pytest.raises(OSError, match="there is no user 'no_such_user': name a folder to write to"):
        usable_home()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give its rights away")
def test_a_home_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    program = (
        "import os, sys; from reml.files.atomic import usable_home; os.setgid(65534); os.setuid(65534)\n"
        "try: usable_home(sys.argv[1])\nexcept OSError as error: print(error)"
    )
    shut, (outer, inner) = tmp_path / "shut", (tmp_path / "kept", tmp_path / "kept" / "new")
    shut.mkdir(mode=0o700)
    outer.mkdir(mode=0o755)
    for path in (tmp_path, *tmp_path.parents[:3]):
        path.chmod(path.stat().st_mode | 0o055)
    for path, why in ((shut, f"may not read {shut}"), (inner, f"may not write to {outer}")):
        ended = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
        assert f"this user {why}; name a folder to write to" in ended.stdout


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a system with /proc, where nothing can be made")
def test_where_nothing_can_be_made_is_no_home() -> None:
    for name in ("/proc/x", "/proc/x/in/it"):
        with pytest.raises(OSError, match=f"{name} cannot be the home, where all is kept: .* /proc"):
            usable_home(name)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a system with /proc, where nothing can be made")
@pytest.mark.parametrize("name", ["/proc/x.json", "/proc/self/x.json"])
def test_what_cannot_be_made_is_called_as_it_was_typed(name: str) -> None:
    writes: tuple[Callable[[Path], None], ...] = (
        lambda path: write_json(path, {}),
        lambda p: write_text(p, "x"),
        _folder,
    )
    for write in writes:
        with pytest.raises(OSError, match="x") as caught:
            write(Path(name))
        assert name in str(caught.value)
        assert "/." not in str(caught.value)


def _folder(path: Path) -> None:
    with atomic_folder(path):
        pass


def test_what_is_there_already_stays_and_is_of_now(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "same")
    os.utime(path, (LONG_AGO, LONG_AGO))
    before = path.stat()
    write_text(path, "same")
    after = path.stat()
    assert after.st_ino == before.st_ino
    assert after.st_mtime > LONG_AGO
    write_text(path, "else")
    assert path.read_text() == "else"
    assert [one.name for one in tmp_path.iterdir()] == ["a.txt"]


def test_a_link_to_the_same_bytes_becomes_a_file(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("same")
    (tmp_path / "a.txt").symlink_to(tmp_path / "other")
    write_text(tmp_path / "a.txt", "same")
    assert not (tmp_path / "a.txt").is_symlink()
