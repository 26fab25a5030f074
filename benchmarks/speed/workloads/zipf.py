"""Ranks drawn by Zipf's law as Mandelbrot shifted it: p(rank) ~ 1 / (rank + shift)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reml.contract.vectors import Int32Array


def zipf_ranks(generator: np.random.Generator, count: int, ranks: int, shift: float) -> Int32Array:
    """Draw `count` ranks from 0 to `ranks - 1`, by the inverse of the continuous law's cumulative share."""
    shares: npt.NDArray[np.float64] = generator.random(count)
    drawn = shift * ((1 + ranks / shift) ** shares) - shift
    return np.minimum(drawn, ranks - 1).astype(np.int32)
