"""Locks that end with their holder, however it ends, or a sentence where the file system has none."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
from pathlib import Path

import filelock

from reml.files.replacing.unlinked import FILE_MODE, is_a_link

# Windows has locks of another kind, which the library takes there.
_OF_UNIX = importlib.util.find_spec("fcntl") is not None
_NO_LOCKS = frozenset({errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL})


def take_lock(path: Path, *, wait: bool) -> filelock.BaseFileLock | None:
    """Take the lock of a file, which is made if need be; nothing if another process has it and `wait` is not said.

    The file is neither emptied nor, if it is a link, followed. A child that is forked meanwhile does not hold the lock:
    the library closes its copy there. `OSError` is a sentence where no lock can be had.
    """
    # The library's own file would be for everybody to write to under a mask of 0.
    with contextlib.suppress(OSError):
        if _OF_UNIX:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
    # Its other kind of lock, for systems without any, would outlive a killed holder.
    lock = filelock.FileLock(path, thread_local=False, fallback_to_soft=not _OF_UNIX)
    try:
        lock.acquire(timeout=-1 if wait else 0)
    except filelock.Timeout:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(is_a_link(path)) from error
        if error.errno in _NO_LOCKS:
            raise OSError(
                f"{path} cannot be locked ({os.strerror(error.errno or 0)}), and without a lock two processes that "
                "write here would spoil each other's work. Name a home on a file system that has locks, by --home or "
                "REML_HOME."
            ) from error
        raise
    return lock
