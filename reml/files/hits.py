"""Hits on disk: two arrays that are read where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.contract.arguments.paths import takes_paths
from reml.contract.retrieved import Hits
from reml.devices.disk import save_array
from reml.files.atomic import atomic_file, repair_of
from reml.files.integrity.checked import reading

ROWS, SCORES = "rows.npy", "scores.npy"


@takes_paths
def save_hits(folder: Path, hits: Hits) -> None:
    """Write hits into a folder, without places that no query needs; when the scores are there, all is."""
    kept = hits.narrowed()
    for name, values in ((ROWS, kept.rows), (SCORES, kept.scores)):
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
        return Hits(*(np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in (ROWS, SCORES)))
