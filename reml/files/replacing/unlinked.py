"""Files and folders that are made without following a link, and that not everybody may write to.

In a home that several share, somebody can put a link where reml is about to write. What it leads to is not ours.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path

# What the user's mask leaves of these; nothing is for everybody to write to, whatever the mask.
FILE_MODE, FOLDER_MODE = 0o664, 0o775
_OTHERS_WRITE = stat.S_IWOTH
_FOLLOW_NONE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def unlinked(path: str, flags: int) -> int:
    """Open a file as `os.open` does, for `open(..., opener=unlinked)`; `OSError` says so if it is a link."""
    try:
        return os.open(path, flags | _FOLLOW_NONE, FILE_MODE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(is_a_link(path)) from error
        raise


def is_a_link(path: str | Path) -> str:
    """Say that a name is a link, and what to do."""
    return f"{path} is a link, and none is followed where something is written: delete it, and see who put it there."


def fresh_file(path: Path) -> None:
    """Make an empty file in place of what has this name; of a link, what it leads to stays as it is."""
    path.unlink(missing_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FOLLOW_NONE, FILE_MODE))


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, unless they are there."""
    if path.is_dir():
        return
    try:
        path.mkdir(mode=FOLDER_MODE)
    except FileNotFoundError:
        if path.parent.is_dir():  # and takes none, as in /proc
            raise
        make_folder(path.parent)
        make_folder(path)
    except OSError:
        if not path.is_dir():
            raise


def withhold(handle: int) -> None:
    """See that not everybody may write to an open file or folder, if it is this user's."""
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    if mode & _OTHERS_WRITE:
        with contextlib.suppress(PermissionError):
            os.fchmod(handle, mode & ~_OTHERS_WRITE)
