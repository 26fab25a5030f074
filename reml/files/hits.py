"""Hits on disk: two arrays that are read where they lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.contract.arguments.paths import takes_paths
from reml.contract.retrieved import Hits
from reml.files.atomic import atomic_file

ROWS, SCORES = "rows.npy", "scores.npy"


@takes_paths
def save_hits(folder: Path, hits: Hits) -> None:
    """Write hits into a folder; when the scores are there, all is."""
    for name, values in ((ROWS, hits.rows), (SCORES, hits.scores)):
        with atomic_file(folder / name) as draft, draft.open("wb") as stream:
            np.save(stream, values, allow_pickle=False)


@takes_paths
def has_hits(folder: Path) -> bool:
    """Tell whether hits were written there, whole."""
    return (folder / SCORES).is_file()


@takes_paths
def open_hits(folder: Path) -> Hits:
    """Open the hits of a folder, memory-mapped."""
    return Hits(*(np.load(folder / name, mmap_mode="r") for name in (ROWS, SCORES)))
