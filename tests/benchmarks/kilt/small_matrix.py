"""A matrix of two tasks, two access models and two seeds with made-up scores that a reader can compute with."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.comparison.matrix import Cell, Matrix
from reml.evaluation.kilt import DEPTHS, measure_names
from reml.experiment.costs import Costs

NAMES = measure_names(DEPTHS)
# By task, access and seed: which of the examples are right; their pages are right too.
RIGHT = {
    ("nq", "bm25", 0): [1, 0, 0, 0, 1, 0],
    ("nq", "bm25", 1): [1, 1, 0, 0, 1, 0],
    ("nq", "dense", 0): [1, 1, 1, 1, 1, 0],
    ("nq", "dense", 1): [1, 1, 1, 1, 1, 1],
    ("places", "bm25", 0): [1, 0, 1],
    ("places", "bm25", 1): [1, 0, 1],
    ("places", "dense", 0): [0, 0, 0],
    ("places", "dense", 1): [1, 1, 0],
}


def cell(task: str, access: str, seed: int) -> Cell:
    right = np.array(RIGHT[task, access, seed], dtype=np.float64)
    costs = Costs(
        train=10.0 + seed,
        index=2.0,
        retrieve=0.6,
        predict=2.4,
        peak_memory_bytes=(3 + seed) << 20,
        index_bytes=1 << 20,
        words=100.0 if access == "bm25" else None,
    )
    return Cell(task, access, seed, dict.fromkeys(NAMES, right), costs)


def matrix() -> Matrix:
    runs = {seed: Path(f"/home/runs/small-{seed}") for seed in (0, 1)}
    return Matrix({"nq": "em", "places": "f1"}, ("bm25", "dense"), runs, tuple(cell(*place) for place in RIGHT))
