"""A log of JSON records whose last good record is known: a process killed at any instant loses at most one."""

from __future__ import annotations

import json
import os
from pathlib import Path

from reml.contract.examples import Json
from reml.devices.disk import written
from reml.files.atomic import CorruptError, digest, repair_of
from reml.files.replacing.unlinked import make_folder, unlinked


class RecordLog:
    """One record a line, each behind the digest of all it says; one process writes at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __repr__(self) -> str:
        return f"RecordLog({self.path!r})"

    def read(self) -> list[Json]:
        """Give all records in order, and cut off what a killed writer left of one more.

        `CorruptError` names a line before the last that is not what was written.
        """
        if not self.path.is_file():
            return []
        with open(self.path, "r+b", opener=unlinked) as stream:
            content = stream.read()
            lines = content.split(b"\n")
            good = [record_of(line) for line in lines[:-1]]
            if good and good[-1] is None:
                good.pop()
            stream.truncate(sum(len(line) + 1 for line in lines[: len(good)]))
        return [self._whole(number, record) for number, record in enumerate(good, start=1)]

    def append(self, record: Json) -> None:
        """Write a record; it is on disk when this returns."""
        make_folder(self.path.parent)
        with written(self.path), open(self.path, "ab", opener=unlinked) as stream:
            stream.write(line_of(record))
            stream.flush()
            os.fsync(stream.fileno())

    def _whole(self, number: int, record: list[Json] | None) -> Json:
        if record is None:
            raise CorruptError(f"{self.path}, line {number}: it is not what was written. {repair_of(self.path.parent)}")
        return record[0]


def line_of(record: Json) -> bytes:
    """Write a record as a line, its end with it."""
    text = json.dumps(record).encode()
    return digest(text).encode() + b" " + text + b"\n"


def record_of(line: bytes) -> list[Json] | None:
    """Give the record of a line, in a list of one; none where the line is not what its digest says."""
    said, _, text = line.partition(b" ")
    return [json.loads(text)] if said.decode("ascii", "replace") == digest(text) else None
