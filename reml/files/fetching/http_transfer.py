"""One attempt to get a file, or the rest of one, over HTTP: what came is kept, and what went wrong is told apart.

A part of a file goes on from where it stopped only if the server still has the same file, which its validator says
(RFC 9110, section 13.1.5), or if a checksum will tell in the end.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import httpx2

from reml.files.atomic import CorruptError, LockedError, read_json, write_json
from reml.files.replacing.drafts import sync
from reml.files.replacing.locks import take_lock
from reml.files.replacing.unlinked import unlinked

_PASSING = frozenset({408, 425, 429})
_WEB_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)", re.IGNORECASE)
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)")


class RefusedError(OSError):
    """The file cannot be had so, and asking again will not help."""


class BrokenOffError(OSError):
    """The transfer ended early; asking again may go better, after `wait` seconds if the server named a time."""

    def __init__(self, message: str, wait: float = 0) -> None:
        super().__init__(message)
        self.wait = wait


class UnreachableError(BrokenOffError):
    """The server does not answer at all: other files of it will not come either."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on a server and what is known of it: its size in bytes and its SHA-256, in hexadecimal."""

    url: str
    size: int | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The name of the file on the server."""
        return Path(urlsplit(self.url).path).name

    @property
    def host(self) -> str:
        """The name of the server."""
        return urlsplit(self.url).netloc


class Part:
    """The bytes of a file that came so far, beside its final name; only one process writes them.

    `LockedError` if another process is writing them.
    """

    def __init__(self, remote: Remote, target: Path) -> None:
        self.path = target.with_name(f".{target.name}.part")
        self._note = target.with_name(f".{target.name}.part.json")
        lock = take_lock(target.with_name(f".{target.name}.part.lock"), wait=False)
        if lock is None:
            raise LockedError(f"another process is fetching {target}. Wait for it to end.")
        self._lock = lock
        self._stream: BinaryIO = open(self.path, "ab", opener=unlinked)  # noqa: SIM115 - `close` does
        self.validator = self._former(remote)
        if not self.validator and (self.validator is None or remote.sha256 is None):
            self.restart(remote, "")

    @property
    def size(self) -> int:
        """The number of bytes that came."""
        return self._stream.tell()

    def write(self, piece: bytes) -> None:
        """Add bytes at the end."""
        self._stream.write(piece)

    def restart(self, remote: Remote, validator: str) -> None:
        """Throw away what came, and note what file comes from now on."""
        self._stream.truncate(0)
        self._stream.seek(0)
        self.validator = validator
        write_json(self._note, {"url": remote.url, "validator": validator})

    def flush(self) -> None:
        """Hand all bytes to the disk."""
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def land(self, target: Path) -> None:
        """Give the file its final name."""
        self.flush()
        self.path.replace(target)
        sync(target.parent)
        self._note.unlink(missing_ok=True)
        self._close(landed=True)

    def close(self) -> None:
        """Let other processes write; what came stays."""
        if self._lock.is_locked:
            self._close(landed=False)

    def _close(self, *, landed: bool) -> None:
        self._stream.close()
        if landed:  # while the lock is held: whoever opened it meanwhile sees that it went, and takes another
            Path(self._lock.lock_file).unlink(missing_ok=True)
        self._lock.release()

    def _former(self, remote: Remote) -> str | None:
        """Give the validator of what an earlier run left of this file, None if it left nothing that can be used."""
        try:
            note = read_json(self._note) if self._note.is_file() else None
        except CorruptError:
            return None
        if not isinstance(note, dict) or note.get("url") != remote.url:
            return None
        return str(note.get("validator", ""))


def transfer(client: httpx2.Client, remote: Remote, part: Part, advanced: Callable[[int, int | None], None]) -> None:
    """Get the bytes that `part` lacks; `advanced` is told how many are there and how many there will be.

    `BrokenOffError` if it may go better next time: the network, a server that is busy or broken, a body that ends
    early. `RefusedError` if not: no such file, a web page in its place, a file of another size.
    """
    try:
        with client.stream("GET", remote.url, headers=_headers(part)) as response:
            total = _accepted(response, remote, part)
            advanced(part.size, total)
            for piece in response.iter_raw():
                _refuse_web_page(piece, response, remote, part)
                part.write(piece)
                _refuse_more(remote, part, total)
                advanced(part.size, total)
    except httpx2.TimeoutException as error:
        raise BrokenOffError(f"{remote.host} sent nothing for {client.timeout.read:g} seconds") from error
    except httpx2.ConnectError as error:
        raise UnreachableError(f"{remote.host} cannot be reached ({error}): is this machine offline?") from error
    except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, httpx2.TooManyRedirects) as error:
        raise RefusedError(f"{remote.url} cannot be asked for: {error}") from error
    except httpx2.TransportError as error:
        raise BrokenOffError(f"the connection to {remote.host} broke after {part.size:,} bytes ({error})") from error
    _check_length(remote, part, total)


def _headers(part: Part) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}  # the bytes of the file, as its checksum was made of them
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.validator:
            headers["If-Range"] = part.validator
    return headers


def _accepted(response: httpx2.Response, remote: Remote, part: Part) -> int | None:
    """Check the head of a response and set `part` to where its body starts; give the size of the whole file."""
    status = response.status_code
    if status in _PASSING or status >= 500:
        raise BrokenOffError(f"{remote.host} answered {status} {response.reason_phrase}", _wait_asked_for(response))
    if status == 416:
        part.restart(remote, "")
        raise BrokenOffError(f"{remote.host} has no more than the {part.size:,} bytes that came")
    if status not in (200, 206):
        raise RefusedError(f"{remote.host} answered {status} {response.reason_phrase} for {remote.url}")
    if response.headers.get("Content-Encoding", "identity") != "identity" and not remote.name.endswith(".gz"):
        raise RefusedError(f"{remote.host} sends {remote.url} packed, though asked not to: sizes would not fit")
    start, total = _extent(response)
    if total is not None and remote.size is not None and total != remote.size:
        raise RefusedError(f"{remote.url} has {total:,} bytes where {remote.size:,} are known: it is another file")
    if status == 200:
        part.restart(remote, _validator(response))
    elif start != part.size:
        part.restart(remote, "")
        raise BrokenOffError(f"{remote.host} sent bytes from {start} on where others were asked for")
    return total if total is not None else remote.size


def _extent(response: httpx2.Response) -> tuple[int, int | None]:
    """Give where the body starts in the file, and the file's size if the server says."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if found is None:
        return -1, None
    return int(found[1] or 0), int(found[2]) if found[2] != "*" else None


def _validator(response: httpx2.Response) -> str:
    tag = response.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else str(response.headers.get("Last-Modified", ""))


def _wait_asked_for(response: httpx2.Response) -> float:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0


def _refuse_web_page(piece: bytes, response: httpx2.Response, remote: Remote, part: Part) -> None:
    kind = response.headers.get("Content-Type", "")
    if part.size == 0 and (kind.startswith("text/html") or _WEB_PAGE.match(piece)):
        raise RefusedError(f"{remote.url} is a web page, not data: it begins {piece[:60].decode(errors='replace')!r}")


def _check_length(remote: Remote, part: Part, total: int | None) -> None:
    if total is not None and part.size < total:
        raise BrokenOffError(f"{remote.host} sent {part.size:,} of {total:,} bytes")


def _refuse_more(remote: Remote, part: Part, total: int | None) -> None:
    """Stop a server that sends on and on: it would fill the disk."""
    if total is not None and part.size > total:
        came = part.size
        part.restart(remote, "")
        raise RefusedError(f"{remote.url} sent {came:,} bytes or more where {total:,} are known: it is another file")
