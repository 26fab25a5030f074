"""The process that `test_impact_kill.py` kills: builds an index, then appends, deletes and merges for ever.

At commit n the index holds the rows of `held(n)` and nothing else.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from reml.contract.vectors import Int64Array
from reml.files.atomic import MANIFEST
from reml.index import impact, segment
from reml.index.impact import ImpactIndex
from tests.index.vectors import random_matrix, sparse

WIDTH, STEP = 30, 40
MATRIX = random_matrix(STEP * 400, WIDTH, density=0.2, seed=11)


def held(commits: int) -> Int64Array:
    """Give the rows after so many commits: each adds STEP and deletes half of those that the one before added."""
    rows = np.arange(STEP * commits, dtype=np.int64)
    return rows[(rows % STEP >= STEP // 2) | (rows >= STEP * (commits - 1))]


def go_on(folder: Path, commits: int) -> None:
    """Make the next commits, from wherever the folder is, until there are so many."""
    impact.GATHERED, segment.PART = 100, 60
    if not (folder / MANIFEST).is_file():
        first = held(1)
        ImpactIndex.build(folder, WIDTH, ((part, sparse(MATRIX[part])) for part in np.array_split(first, 4)))
    index = ImpactIndex.open(folder)
    for commit in range(index.version + 1, commits + 1):
        rows = np.arange(STEP * (commit - 1), STEP * commit)
        index.add(rows, sparse(MATRIX[rows]))
        index.delete(rows[: STEP // 2] - STEP)
        if commit % 3 == 0:
            index.merge()
        index.commit()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as elsewhere:
        go_on(Path(elsewhere) / "index", 3)  # loads the kernels
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    go_on(Path(sys.argv[1]), 399)
