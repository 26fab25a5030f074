"""Feedback kept on disk: what a predictor found useful, for learning later, also by engines without a gradient.

A `FeedbackLog` is a folder of Arrow files, one a record, numbered from 1 in the order they were received:

    00000001.arrow    a row for each query: text, rows (list of int64, -1 pads), utilities (list of float32);
                      the schema's metadata holds K, the judge and the versions of the models

Each file is whole or not there and never changes, so a process killed at any instant loses at most the record that it
was writing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.contract.signals import FeedbackRecord
from reml.files.atomic import CorruptError, atomic_file, digest, locked
from reml.files.integrity.checked import reading

_SCHEMA = pa.schema(
    [("query", pa.string()), ("rows", pa.list_(pa.int64())), ("utilities", pa.list_(pa.float32()))],
)
_ASIDE = "Move it away to go on without it."


class FeedbackLog:
    """Keep feedback records in a folder; is a `FeedbackHandler`.

    One process writes at a time (`LockedError` for another); any number may read meanwhile.
    """

    @takes_paths
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._last = 0

    def __repr__(self) -> str:
        return f"FeedbackLog({self.folder!r})"

    def __len__(self) -> int:
        """Count the records."""
        return len(self._files())

    def __iter__(self) -> Iterator[FeedbackRecord]:
        """Read the records in the order they were received, one in memory at a time."""
        return (_read(path) for path in self._files())

    def receive(self, record: FeedbackRecord) -> None:
        """Keep the record; it is on disk when this returns."""
        with locked(self.folder), atomic_file(self._next()) as draft:
            _write(record, draft)

    def _next(self) -> Path:
        # Another process may have written since; only the first call pays for reading the folder.
        files = self._files() if self._last == 0 else []
        self._last = int(files[-1].stem) + 1 if files else self._last + 1
        while (path := self.folder / f"{self._last:08d}.arrow").exists():
            self._last += 1
        return path

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("[0-9]*.arrow"))


def _write(record: FeedbackRecord, path: Path) -> None:
    metadata: dict[str, Json] = {"k": record.rows.shape[1], "judge": record.judge, "versions": dict(record.versions)}
    metadata["digest"] = _digest(record)
    schema = _SCHEMA.with_metadata({"record": json.dumps(metadata)})
    table = pa.table([list(record.queries), list(record.rows), list(record.utilities)], schema=schema)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_table(table)


def _read(path: Path) -> FeedbackRecord:
    with reading(path, _ASIDE):
        with pa.OSFile(str(path), "rb") as source:
            table = pa.ipc.open_file(source).read_all()
        metadata = json.loads(table.schema.metadata[b"record"])
        shape = (table.num_rows, metadata["k"])
        record = FeedbackRecord(
            queries=tuple(table["query"].to_pylist()),
            rows=_flat(table["rows"]).astype(np.int64).reshape(shape),
            utilities=_flat(table["utilities"]).astype(np.float32).reshape(shape),
            judge=metadata["judge"],
            versions=metadata["versions"],
        )
    if metadata.get("digest", _digest(record)) != _digest(record):  # a former version wrote none
        raise CorruptError(f"{path} is not what was written. {_ASIDE}")
    return record


def _digest(record: FeedbackRecord) -> str:
    said = [list(record.queries), [*record.rows.shape], record.judge, dict(record.versions)]
    return digest(json.dumps(said).encode(), record.rows.tobytes(), record.utilities.tobytes())


def _flat(column: pa.ChunkedArray) -> npt.NDArray[np.generic]:
    return np.asarray(column.combine_chunks().flatten())
