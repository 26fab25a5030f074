"""Hits on disk: arrays that are read where they lie.

    rows.npy, scores.npy   [B, K]
    shown.npy              where a processor changed texts: the number of each item's text, [B, K], -1 for none
    spans.npy, ends.npy    of the texts: their spans, [T, 4], and where each ends in texts.npy, which is their UTF-8

The scores are written last: when they are there, all is.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, final, overload

import numpy as np
import numpy.typing as npt

from reml.contract.arguments.paths import takes_paths
from reml.contract.retrieved import Hits, Shown
from reml.contract.vectors import Int64Array
from reml.devices.disk import save_array
from reml.files.atomic import atomic_file, repair_of
from reml.files.integrity.checked import reading

ROWS, SCORES = "rows.npy", "scores.npy"
SHOWN, SPANS, ENDS, TEXTS = "shown.npy", "spans.npy", "ends.npy", "texts.npy"


@final
class Texts(Sequence[str]):
    """Texts that lie on disk one behind the other in UTF-8, each read when it is looked at."""

    def __init__(self, ends: Int64Array, content: npt.NDArray[np.uint8]) -> None:
        self._ends, self._content = ends, content

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, number: int) -> str: ...
    @overload
    def __getitem__(self, number: slice) -> Sequence[str]: ...
    def __getitem__(self, number: int | slice) -> str | Sequence[str]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        start = self._ends[number - 1] if number else 0
        return self._content[start : self._ends[number]].tobytes().decode()


@takes_paths
def save_hits(folder: Path, hits: Hits) -> None:
    """Write hits into a folder, without places that no query needs; when the scores are there, all is."""
    kept = hits.narrowed()
    for name, values in {ROWS: kept.rows, **_texts(kept.shown), SCORES: kept.scores}.items():
        with atomic_file(folder / name) as draft:
            save_array(draft, values, folder / name)


@takes_paths
def has_hits(folder: Path) -> bool:
    """Tell whether hits were written there, whole."""
    return (folder / SCORES).is_file()


@takes_paths
def open_hits(folder: Path) -> Hits:
    """Open the hits of a folder, memory-mapped; `CorruptError` if they cannot be read."""
    with reading(folder, repair_of(folder)):
        rows, scores = _arrays(folder, ROWS, SCORES)
        if not (folder / SHOWN).is_file():
            return Hits(rows, scores)
        at, spans, ends, content = _arrays(folder, SHOWN, SPANS, ENDS, TEXTS)
        return Hits(rows, scores, Shown(at, Texts(ends, content), spans))


def _texts(shown: Shown | None) -> dict[str, npt.NDArray[Any]]:
    """Give the arrays of those texts that are shown, numbered anew; none where all is as it is kept."""
    if shown is None:
        return {}
    there = shown.at >= 0
    numbers, places = np.unique(shown.at[there], return_inverse=True)
    at = shown.at.copy()
    at[there] = places
    texts = [shown.texts[number].encode() for number in numbers.tolist()]
    ends = np.cumsum([len(text) for text in texts], dtype=np.int64)
    return {
        SHOWN: at,
        SPANS: shown.spans[numbers],
        ENDS: ends,
        TEXTS: np.frombuffer(b"".join(texts), dtype=np.uint8),
    }


def _arrays(folder: Path, *names: str) -> list[npt.NDArray[Any]]:
    return [np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in names]
