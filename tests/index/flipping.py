"""The process that `test_flipped.py` starts: flips bits of an index, and has a child open and search it each time.

python -m tests.index.flipping KIND TRIALS
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np

from reml.contract.retrieved import Hits
from reml.contract.retrievers import Index
from reml.contract.vectors import DenseVectors, Representations
from reml.files.atomic import CorruptError
from reml.index.faiss import FaissIndex
from reml.index.impact import ImpactIndex
from tests.index.vectors import random_matrix, sparse

ROWS, WIDTH, K = 5_000, 64, 10
SAME, WRONG, REFUSED, OTHER = "same", "other results", "CorruptError", "another error"
ENDS = (SAME, WRONG, REFUSED, OTHER)


def impact(folder: Path) -> tuple[Callable[[], Index], Representations]:
    """Make an impact index of frequent and rare dimensions, some of whose rows are deleted."""
    dense = random_matrix(ROWS, 12, density=0.3, seed=1)
    matrix = np.hstack([dense, random_matrix(ROWS, WIDTH - 12, density=0.004, seed=2)])
    index = ImpactIndex.build(folder, WIDTH, [(np.arange(ROWS, dtype=np.int64), sparse(matrix))], threads=1)
    index.delete(np.arange(7, ROWS, 500))
    index.commit()
    queries = random_matrix(200, WIDTH, density=0.15, seed=3)
    return lambda: ImpactIndex.open(folder, threads=1), sparse(queries)


def faiss(factory: str, folder: Path) -> tuple[Callable[[], Index], Representations]:
    """Make a FAISS index, some of whose rows are deleted."""
    generator = np.random.default_rng(4)
    index = FaissIndex(16, factory)
    index.add(np.arange(2_000) * 2, DenseVectors(generator.standard_normal((2_000, 16)).astype(np.float32)))
    index.delete(np.arange(10, 100, 10))
    index.save(folder)
    return lambda: FaissIndex.open(folder), DenseVectors(generator.standard_normal((50, 16)).astype(np.float32))


def places(folder: Path, trials: int) -> list[tuple[Path, int]]:
    """Choose bytes: of each file as many, one in four of them of its first 128."""
    generator, files = np.random.default_rng(5), sorted(one for one in folder.rglob("*") if one.stat().st_size)
    files = [one for one in files if one.is_file()]
    chosen = []
    for trial in range(trials):
        path = files[trial % len(files)]
        size = path.stat().st_size
        chosen.append((path, int(generator.integers(min(size, 128) if generator.random() < 0.25 else size))))
    return chosen


def ending(opened: Callable[[], Index], queries: Representations, expected: Hits) -> str:
    """Open the index and search it, in a child; say how that ended, with the signal's number if one did it."""
    child = os.fork()
    if not child:
        end = OTHER
        try:
            hits = opened().search(queries, K)
            same = np.array_equal(hits.rows, expected.rows) and np.array_equal(hits.scores, expected.scores)
            end = SAME if same else WRONG
        except CorruptError:
            end = REFUSED
        finally:
            os._exit(ENDS.index(end))
    status = os.waitpid(child, 0)[1]
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else ENDS[os.WEXITSTATUS(status)]


def flip(kind: str, trials: int, folder: Path) -> dict[str, int]:
    """Count how trials end, each with one bit of another kind."""
    opened, queries = impact(folder) if kind == "impact" else faiss(kind, folder)
    expected = opened().search(queries, K)
    ends, bits = Counter[str](), np.random.default_rng(6)
    for path, place in places(folder, trials):
        with path.open("r+b") as stream:
            stream.seek(place)
            (byte,) = stream.read(1)
            stream.seek(place)
            stream.write(bytes([byte ^ (1 << int(bits.integers(8)))]))
            stream.flush()
            ends[ending(opened, queries, expected)] += 1
            stream.seek(place)
            stream.write(bytes([byte]))
    return dict(ends)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as elsewhere:
        sys.stdout.write(json.dumps(flip(sys.argv[1], int(sys.argv[2]), Path(elsewhere) / "index")) + "\n")
