"""Trajectories on disk: a stream of Arrow record batches, one for each batch of examples, read in bounded memory.

example   the id                              answer    KILT's output, as JSON
asks      a list of {access, queries, shown, used, note}; shown and used are lists of row ids
reward    of the answer, null where nobody gave one
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa

from reml.contract.access import Asked, Trajectory
from reml.contract.arguments.paths import takes_paths
from reml.files.atomic import CorruptError, atomic_file
from reml.files.records import RecordError, decode_answer, format_answer
from reml.files.replacing.unlinked import fresh_file

TRAJECTORIES = "trajectories.arrow"
_ROWS = pa.list_(pa.int64())
_ASKED = pa.struct(
    [
        ("access", pa.string()),
        ("queries", pa.list_(pa.string())),
        ("shown", _ROWS),
        ("used", _ROWS),
        ("note", pa.string()),
    ]
)
_SCHEMA = pa.schema(
    [("example", pa.string()), ("asks", pa.list_(_ASKED)), ("answer", pa.string()), ("reward", pa.float64())]
)


@final
class TrajectoryFile:
    """Writes trajectories to a new file, a batch at a time; the file is whole once it is closed."""

    @takes_paths
    def __init__(self, path: Path) -> None:
        fresh_file(path)
        self._writer = pa.ipc.new_stream(pa.OSFile(str(path), "wb"), _SCHEMA)

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """Write the trajectories of a batch."""
        self.copy(pa.RecordBatch.from_pylist([row_of(one) for one in trajectories], schema=_SCHEMA))

    def copy(self, batch: pa.RecordBatch) -> None:
        """Write a batch as it was read."""
        self._writer.write_batch(batch)

    def close(self) -> None:
        """Say that these are all."""
        self._writer.close()


@takes_paths
def read_trajectories(path: Path) -> Iterator[Trajectory]:
    """Read trajectories in the order they were written, a batch in memory at a time.

    `FileNotFoundError` if there is no such file; `CorruptError` names one that cannot be read.
    """
    for batch in _batches(path):
        with _readable(path):
            trajectories = [trajectory_of(row) for row in batch.to_pylist()]
        yield from trajectories


@takes_paths
def rewarded(source: Path, target: Path, rewards: Mapping[str, float]) -> None:
    """Copy a file with the rewards of its examples by id; those that have none keep what they had."""
    with atomic_file(target) as draft:
        copy = TrajectoryFile(draft)
        for batch in _batches(source):
            with _readable(source):
                known = zip(batch["example"].to_pylist(), batch["reward"].to_pylist(), strict=True)
                given = _numbers([rewards.get(example, reward) for example, reward in known])
                copy.copy(batch.set_column(_SCHEMA.get_field_index("reward"), _SCHEMA.field("reward"), given))
        copy.close()


def row_of(one: Trajectory) -> dict[str, Any]:
    """Give a trajectory as a row, which JSON can hold too."""
    asks = [
        {
            "access": asked.access,
            "queries": list(asked.queries),
            "shown": asked.shown.tolist(),
            "used": asked.used.tolist(),
            "note": asked.note,
        }
        for asked in one.asks
    ]
    return {"example": one.example, "asks": asks, "answer": json.dumps(format_answer(one.answer)), "reward": one.reward}


def trajectory_of(row: Mapping[str, Any]) -> Trajectory:
    """Give the trajectory that a row tells; `RecordError` for no answer, `KeyError` for a field left out."""
    return Trajectory(row["example"], tuple(map(_asked, row["asks"])), decode_answer(row["answer"]), row["reward"])


def _numbers(values: Sequence[float | None]) -> pa.DoubleArray:
    """Give numbers and nulls to Arrow, whose own way imports pandas."""
    known = np.packbits([value is not None for value in values], bitorder="little")
    numbers = np.array([value or 0.0 for value in values], dtype=np.float64)
    return pa.Array.from_buffers(pa.float64(), len(values), [pa.py_buffer(known), pa.py_buffer(numbers)])


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}. Name the {TRAJECTORIES} of a result folder.")
    with _readable(path), pa.OSFile(str(path), "rb") as source, pa.ipc.open_stream(source) as batches:
        yield from batches


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, RecordError, KeyError, TypeError) as error:
        raise CorruptError(f"{path} does not hold readable trajectories ({error}). Predict again.") from error


def _asked(row: Mapping[str, Any]) -> Asked:
    shown, used = (np.array(row[name], dtype=np.int64) for name in ("shown", "used"))
    return Asked(row["access"], tuple(row["queries"]), shown, used, row["note"])
