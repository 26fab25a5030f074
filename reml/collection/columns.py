"""Columns of numbers beside the items: given with rows as they are appended, or computed from the segments.

Each is a file `column.NAME.npy` [rows of the segment, *shape] in the segment's folder, memory-mapped. Rows that were
appended without it have 0 there; all that have it agree in type and shape.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from reml.devices.disk import save_array
from reml.files.atomic import CorruptError, repair_of
from reml.files.integrity.checked import reading

Column = npt.NDArray[Any]
COMPUTED = ("page", "words")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILE = re.compile(r"column\.([a-z][a-z0-9_]*)\.npy")


def column_of_file(name: str) -> str | None:
    """Give the name of the column that a file of a segment holds, if it holds one."""
    found = _FILE.fullmatch(name)
    return found[1] if found else None


def write_column(folder: Path, name: str, column: Column) -> str:
    """Write a column and give the name of its file."""
    file = f"column.{name}.npy"
    save_array(folder / file, np.ascontiguousarray(column), folder / file)
    return file


def open_column(path: Path, rows: int) -> Column:
    """Map a column of so many rows; `CorruptError` if it is not one."""
    again = repair_of(path.parents[2])
    with reading(path, again):
        column: Column = np.load(path, mmap_mode="r", allow_pickle=False)
    if len(column) != rows:
        raise CorruptError(f"{path} has {len(column)} rows, not {rows}. {again}")
    return column


def checked_columns(values: Mapping[str, Column] | None, known: Mapping[str, Column]) -> dict[str, Column]:
    """Give the columns of new rows as arrays; `ValueError` for one that does not fit those there are."""
    columns = {name: np.asarray(column) for name, column in (values or {}).items()}
    for name, column in columns.items():
        _check(name, column)
        kept = known.get(name)
        if kept is not None and (kept.dtype != column.dtype or kept.shape[1:] != column.shape[1:]):
            raise ValueError(
                f"column {name!r} holds {kept.dtype} of shape {kept.shape[1:]} a row, and {column.dtype} of shape "
                f"{column.shape[1:]} are given: give the same, or name another column."
            )
    return columns


def joined(pieces: Sequence[tuple[int, Mapping[str, Column]]]) -> dict[str, Column]:
    """Put the columns of runs of rows, each given with its number of rows, behind each other; 0 where one lacks it."""
    samples = {name: column for _, columns in pieces for name, column in columns.items()}
    return {
        name: np.concatenate([columns[name] if name in columns else zeros((rows,), sample) for rows, columns in pieces])
        for name, sample in sorted(samples.items())
    }


def zeros(shape: tuple[int, ...], like: Column) -> Column:
    """Give zeros of the type and the shape a row of a column."""
    return np.zeros((*shape, *like.shape[1:]), dtype=like.dtype)


def _check(name: str, column: Column) -> None:
    if not _NAME.fullmatch(name) or name in COMPUTED:
        raise ValueError(
            f"a column cannot be named {name!r}: small letters, digits and _, but not {' or '.join(COMPUTED)}, which "
            "every collection has."
        )
    if column.ndim < 1 or column.dtype.kind not in "biuf" or 0 in column.shape[1:]:
        raise ValueError(f"column {name!r} is {column.dtype} {column.shape}: give numbers, one or more for each row.")
