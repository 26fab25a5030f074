"""Digests of large files, computed once: 35 GB of pages are not read twice to see that they did not change."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.files.atomic import CorruptError, digest, file_digest, home, read_json, write_json

# A change within one tick of the file system's clock leaves the times as they were; such a young file is not trusted.
SETTLED_NANOSECONDS = 2_000_000_000


@takes_paths
def remembered_digest(path: Path) -> str:
    """Give the digest of a file's bytes, from `home()/digests` where its size, inode and times of change are the same.

    The time of change is the system's (ctime): no program can set it back.
    """
    path = path.resolve()
    state: Json = [*state_of(path)]
    note = home() / "digests" / f"{digest(str(path))}.json"
    known = _read(note)
    if isinstance(known, dict) and known.get("state") == state and isinstance(known.get("digest"), str):
        return str(known["digest"])
    value = file_digest(path)
    if [*state_of(path)] != state:
        raise RuntimeError(f"{path} changed while it was read. Run again when whatever writes it has ended.")
    if time.time_ns() - path.stat().st_ctime_ns > SETTLED_NANOSECONDS:
        with contextlib.suppress(OSError):  # a note spares time and no more: where none can be written, there is none
            write_json(note, {"path": str(path), "state": state, "digest": value})
    return value


def state_of(path: Path) -> tuple[int, int, int, int]:
    """Give the size, inode and times of change of a file: another if it was written to, but for the last instant."""
    status = path.stat()
    return status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def _read(note: Path) -> Json:
    try:
        return read_json(note) if note.is_file() else None
    except CorruptError:
        return None
