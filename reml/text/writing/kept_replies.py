"""Replies of a server that were paid for once: a file that several processes add to and read, by digests of requests.

A line is good or is passed over: what a killed writer left of one costs that reply alone, and nothing is cut off.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, Final, final

from reml.contract.examples import Json
from reml.devices.disk import written
from reml.files.atomic import locked
from reml.files.record_log import line_of, record_of
from reml.files.replacing.unlinked import unlinked

_NAME: Final = "replies.log"


@final
class KeptReplies:
    """Replies by their keys in a folder; in memory are their places alone."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / _NAME
        self._places: dict[str, tuple[int, int]] = {}
        self._read = 0

    def find(self, keys: Collection[str]) -> dict[str, Json]:
        """Give the replies that are there, by key, those of other processes too."""
        if not self._path.is_file():
            return {}
        with open(self._path, "rb", opener=unlinked) as stream:
            self._read_on(stream)
            found = {key: self._at(stream, self._places[key]) for key in keys if key in self._places}
        return {key: record[1] for key, record in found.items() if record is not None and record[0] == key}

    def add(self, key: str, reply: Json) -> None:
        """Keep a reply; it is on disk when this returns."""
        with locked(self._folder, wait=_pass), written(self._path), open(self._path, "a+b", opener=unlinked) as stream:
            if stream.tell() and os.pread(stream.fileno(), 1, stream.tell() - 1) != b"\n":
                stream.write(b"\n")  # behind what a killed writer left
            stream.write(line_of([key, reply]))
            stream.flush()
            os.fsync(stream.fileno())

    def _read_on(self, stream: BinaryIO) -> None:
        """Take note of the lines that were added since."""
        if os.fstat(stream.fileno()).st_size < self._read:  # it was deleted, and begun anew
            self._places, self._read = {}, 0
        stream.seek(self._read)
        for line in stream:
            if not line.endswith(b"\n"):
                return  # it is being written, or was when its writer was killed
            if (record := _pair(line)) is not None:
                self._places[record[0]] = (self._read, len(line))
            self._read += len(line)

    def _at(self, stream: BinaryIO, place: tuple[int, int]) -> tuple[str, Json] | None:
        stream.seek(place[0])
        return _pair(stream.read(place[1]))


@functools.lru_cache(maxsize=16)
def kept_replies(folder: Path) -> KeptReplies:
    """Give the replies in a folder: its file is gone through once."""
    return KeptReplies(folder)


def _pair(line: bytes) -> tuple[str, Json] | None:
    record = record_of(line.removesuffix(b"\n"))
    match record:
        case [[str(key), reply]]:
            return key, reply
    return None


def _pass() -> None:
    """Wait without a word: another process holds the lock for as long as a line takes."""
