"""Files fetched from servers that fail: resumed, tried again, checked, and there whole or not at all.

    fetch(Remote("https://example.org/pages.jsonl.gz", size=1234, sha256="..."), Path("pages.jsonl.gz"))

What came is kept beside the target as `.NAME.part`, also over a kill: the same call goes on from there.
"""

from __future__ import annotations

import gzip
import hashlib
import random
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx2

from reml.contract.arguments.paths import takes_paths
from reml.devices.disk import written
from reml.devices.progress import working
from reml.files.atomic import CorruptError
from reml.files.fetching.http_transfer import BrokenOffError, Part, RefusedError, Remote, transfer
from reml.files.replacing.unlinked import make_folder

__all__ = ["DownloadError", "Patience", "Remote", "fetch"]

_LONGEST_WAIT_SECONDS = 60.0
_Advanced = Callable[[int, int | None], None]


class DownloadError(OSError):
    """A file could not be fetched; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a server is borne with.

    attempts: in a row that bring the file no further. wait_seconds: before the second attempt; each further wait is
    twice as long, a minute at most, and up to a quarter longer by chance. timeout_seconds: without a byte.
    """

    attempts: int = 5
    wait_seconds: float = 1.0
    timeout_seconds: float = 60.0

    def wait(self, failures: int, asked: float) -> float:
        """Give the seconds to wait after so many failures; `asked`: what the server asked for."""
        doubled = self.wait_seconds * 2.0 ** (failures - 1) * random.uniform(1, 1.25)
        return min(max(doubled, asked), _LONGEST_WAIT_SECONDS)


@takes_paths
def fetch(remote: Remote, target: Path, patience: Patience | None = None) -> Path:
    """Bring a file from its server to `target` unless it is there, and give `target`.

    Its size and its checksum are checked where they are known, and else whether a `.gz` can be read to its end.
    `DownloadError` if the server does not give it, `CorruptError` if another file is at `target`, `LockedError` if
    another process fetches it, `OSError` if the disk has no room.
    """
    if target.is_file():
        _check_present(remote, target)
        return target
    make_folder(target.parent)
    with written(target), closing(Part(remote, target)) as part, _shown(remote, part) as advanced:
        _check_room(remote, part)
        try:
            _fetch_rest(remote, part, patience or Patience(), advanced)
        except (RefusedError, BrokenOffError) as error:
            kept = f" {part.size:,} bytes of it are kept: the same command goes on from there." if part.size else ""
            raise DownloadError(
                f"{error}.{kept} You can also fetch {remote.url} by other means and put it at {target}."
            ) from error
        part.land(target)
    return target


def _fetch_rest(remote: Remote, part: Part, patience: Patience, advanced: _Advanced) -> None:
    furthest, failures, faults = part.size, 0, 0
    hooks: dict[str, list[Callable[..., object]]] = {"request": [partial(_refuse_unguarded, remote)]}
    with httpx2.Client(timeout=patience.timeout_seconds, follow_redirects=True, event_hooks=hooks) as client:
        while True:
            try:
                if remote.size is None or part.size < remote.size:
                    transfer(client, remote, part, advanced)
            except BrokenOffError as error:
                failures = 1 if part.size > furthest else failures + 1
                furthest = max(furthest, part.size)
                if failures >= patience.attempts:
                    raise
                time.sleep(patience.wait(failures, error.wait))
                continue
            fault = _fault(remote, part)
            if not fault:
                return
            part.restart(remote, "")
            faults += 1
            if faults == 2:  # once may be the network's fault
                raise RefusedError(f"{remote.url} came twice and {fault}")


def _refuse_unguarded(remote: Remote, request: httpx2.Request) -> None:
    """Refuse to be sent from https to http, where anybody on the way could change the file."""
    if remote.url.lower().startswith("https:") and request.url.scheme != "https":
        raise RefusedError(f"{remote.host} sends on to {request.url}, which is not https: what came could be anybody's")


def _fault(remote: Remote, part: Part) -> str:
    """Say what is wrong with a file that came whole; "" if nothing is known to be."""
    part.flush()
    if remote.sha256 is not None:
        with part.path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
        return "" if found == remote.sha256 else f"its SHA-256 is {found}, not {remote.sha256}: it is another file"
    return _gzip_fault(part.path) if remote.name.endswith(".gz") else ""


def _gzip_fault(path: Path) -> str:
    try:
        with gzip.open(path) as stream:
            while stream.read(1 << 20):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"is no whole gzip file ({error})"
    return ""


def _check_present(remote: Remote, target: Path) -> None:
    size = target.stat().st_size
    if remote.size is not None and size != remote.size:
        raise CorruptError(
            f"{target} has {size:,} bytes where {remote.url} has {remote.size:,}. Delete it to have it fetched, or put "
            "it in a folder that you name as your own data."
        )


def _check_room(remote: Remote, part: Part) -> None:
    free, folder = shutil.disk_usage(part.path.parent).free, part.path.parent
    if remote.size is not None and free < remote.size - part.size:
        raise OSError(f"{folder} has {free:,} bytes free and {remote.name} needs {remote.size:,}. Make room.")


@contextmanager
def _shown(remote: Remote, part: Part) -> Iterator[_Advanced]:
    with working(f"fetch {remote.name}", remote.size, "bytes", part.size) as work:

        def advanced(done: int, total: int | None) -> None:
            work.done, work.total = done, total

        yield advanced
