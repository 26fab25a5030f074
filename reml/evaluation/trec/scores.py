"""Scores that no reader can take for equal.

trec_eval and programs like it read a score in single precision, sort by it, and break ties by id: equal scores are
ranked otherwise than they were, and not by all in the same way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reml.contract.vectors import Float32Array, Float64Array, Int64Array

_LARGEST = float(np.finfo(np.float32).max)


def untied(scores: Sequence[float]) -> list[float]:
    """Make the scores of a ranking, best first, fall strictly in single and in double precision.

    A score that is not below the one before it becomes the number of single precision next below that; others stay as
    they are. At the lower end of what single precision holds the ones before are raised instead. `ValueError` for a
    score that is not finite.
    """
    given = np.asarray(scores, dtype=np.float64)
    if not np.isfinite(given).all():
        raise ValueError(f"a score is {given[~np.isfinite(given)][0]}: rank by finite numbers.")
    given = np.clip(given, -_LARGEST, _LARGEST)
    steps, places = _steps(given), np.arange(len(given))
    falling = np.minimum.accumulate(steps + places) - places
    falling = np.maximum(falling, places[::-1] - _steps(np.array([_LARGEST]))[0])
    fallen: list[float] = np.where(falling == steps, given, _at(falling)).tolist()
    return fallen


def in_single_precision(scores: Sequence[float]) -> Float32Array:
    """Give scores as trec_eval holds them; those that it cannot hold are infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(scores, dtype=np.float64).astype(np.float32)


def _steps(values: Float64Array) -> Int64Array:
    """Give numbers to the numbers of single precision from 0 up and down, so that neighbours differ by 1."""
    bits = values.astype(np.float32).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def _at(steps: Int64Array) -> Float64Array:
    sizes = np.abs(steps).astype(np.int32).view(np.float32)
    return np.where(steps < 0, -sizes, sizes).astype(np.float64)
