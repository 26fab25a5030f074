"""Tables of numbers that are mapped into memory: raw little-endian arrays, a row an entry of a datastore."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reml.contract.vectors import Int64Array
from reml.files.atomic import CorruptError


def mapped(path: Path, kind: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Map a file of this kind and shape; `CorruptError` for one that is missing or of another size."""
    if not path.is_file() or path.stat().st_size != int(np.prod(shape)) * np.dtype(kind).itemsize:
        raise CorruptError(f"{path} is missing or not whole. Delete {path.parent.parent} to have it built again.")
    return np.memmap(path, kind, "r", shape=shape)


def rows_there(rows: Int64Array, count: int, what: str) -> Int64Array:
    """Give the rows back; `KeyError` for one that is not among `count`. what: they are in, for the message."""
    wrong = rows[(rows < 0) | (rows >= count)]
    if len(wrong):
        raise KeyError(f"rows {wrong[:5].tolist()} are not in the {what % f'{count:,}'}.")
    return rows
