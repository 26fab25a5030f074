"""A lock ends with its holder, whatever was forked meanwhile; where there are no locks, that is said."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import stat
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from reml.files.atomic import LockedError, locked
from reml.index.impact import ImpactIndex
from tests.files.replacing.forking import forked, status
from tests.index.vectors import random_matrix, sparse

ROWS = np.arange(20, dtype=np.int64)


def test_a_child_that_lives_on_does_not_keep_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path):
        child = forked(lambda: time.sleep(60))
        with pytest.raises(LockedError), locked(tmp_path):
            pytest.fail("its holder is here")
    try:
        with locked(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        status(child)


def _hold_and_fork(folder: Path, said: Connection) -> None:
    with locked(folder):
        said.send(forked(lambda: time.sleep(60)))
        time.sleep(60)


def test_a_child_that_outlives_a_killed_holder_does_not_keep_the_lock(tmp_path: Path) -> None:
    ours, theirs = multiprocessing.Pipe()
    parent = multiprocessing.get_context("forkserver").Process(target=_hold_and_fork, args=(tmp_path, theirs))
    parent.start()
    child = ours.recv()
    with pytest.raises(LockedError), locked(tmp_path):
        pytest.fail("its holder lives")
    parent.kill()
    parent.join()
    try:
        os.kill(child, 0)
        with locked(tmp_path):
            pass
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_child_that_leaves_the_block_does_not_end_the_lock(tmp_path: Path) -> None:
    with locked(tmp_path):
        child = os.fork()
        if child:
            assert status(child) == 0
            with pytest.raises(LockedError), locked(tmp_path):
                pytest.fail("its holder is here")
    if not child:
        os._exit(0)


def test_a_child_takes_the_lock_for_itself_when_it_is_free(tmp_path: Path) -> None:
    with locked(tmp_path):
        assert status(forked(lambda: _take(tmp_path))) == 77
    assert status(forked(lambda: _take(tmp_path))) == 0


def _take(folder: Path) -> None:
    with locked(folder):
        pass


def test_a_forked_index_does_not_commit_what_its_parent_commits(tmp_path: Path) -> None:
    vectors = sparse(random_matrix(20, 6, density=0.5, seed=1))
    index = ImpactIndex.build(tmp_path / "index", 6, [(ROWS, vectors)])
    index.add(ROWS + 100, vectors)

    def change() -> None:
        for work in (index.commit, lambda: index.add(ROWS + 200, vectors), lambda: index.delete(ROWS[:1]), index.merge):
            with pytest.raises(LockedError, match=r"index has changes of the process that this one was forked from"):
                work()
        index.search(vectors, 3)  # searching is allowed

    assert status(forked(change)) == 0
    assert ImpactIndex.open(tmp_path / "index").version == 1
    index.commit()
    assert len(ImpactIndex.open(tmp_path / "index")) == 40
    assert status(forked(lambda: index.add(ROWS + 200, vectors))) == 0, "without changes of another it may write"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_said(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(handle: int, operation: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(OSError, match=r"\.lock cannot be locked .* a file system that has locks") as refused:
            _take(tmp_path)
    assert refused.value.errno is None, "a sentence"


def test_a_link_in_the_place_of_the_lock_is_neither_followed_nor_emptied(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("ten years")
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / ".lock").symlink_to(tmp_path / "thesis.tex")
    with pytest.raises(OSError, match=r"\.lock is a link, and none is followed .*: delete it"):
        _take(tmp_path / "index")
    assert (tmp_path / "thesis.tex").read_text() == "ten years"
    (tmp_path / "index" / ".lock").unlink()
    (tmp_path / "index" / ".lock").symlink_to(tmp_path / "nowhere")
    with pytest.raises(OSError, match="is a link"):
        _take(tmp_path / "index")
    assert not (tmp_path / "nowhere").exists(), "nothing is made through it either"


def test_a_lock_is_for_no_stranger_to_write_to_whatever_the_mask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        _take(tmp_path / "index")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "index").stat().st_mode) == 0o775
    assert stat.S_IMODE((tmp_path / "index" / ".lock").stat().st_mode) == 0o664
