"""Whether two systems differ on the same examples: intervals, tests and correction for many of them.

The tests take the scores of each example, aligned, as `Evaluation.values` has them. The randomisation test is the one
that Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
Evaluation" (CIKM 2007) recommend, beside the t-test and the bootstrap; correction is Holm's (1979).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64Array = npt.NDArray[np.float64]

# Resamples are drawn so many cells at a time, which bounds the memory.
_CELLS = 1 << 22
# With so few pairs every assignment of signs is tried, and the p-value is exact.
_EXACT_PAIRS = 14
# Means equal on paper may differ in the last bits.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a mean or a mean difference."""

    low: float
    high: float


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Give Student's t interval of the mean of independent values, such as a measure under 2 or more seeds."""
    from scipy import stats

    _check_level(level)
    if len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"an interval needs 2 or more finite values, not {list(values)}.")
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    return Interval(mean - half, mean + half)


def bootstrap_interval(
    first: Float64Array, second: Float64Array, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Give the percentile interval of mean(first - second) over pairs drawn with replacement."""
    _check_level(level)
    differences = _differences(first, second)
    generator = np.random.default_rng(seed)
    size = len(differences)
    means = [
        differences[generator.integers(size, size=(rows, size))].mean(axis=1) for rows in _batches(resamples, size)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def randomisation_test(first: Float64Array, second: Float64Array, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Give the two-sided p-value of the paired randomisation test on the mean difference.

    Each pair is swapped or not. All ways are tried for 14 pairs or fewer; otherwise `resamples` random ones, the
    observed one counted among them, so that p is never 0.
    """
    differences = _differences(first, second)
    observed = abs(differences.sum()) - _ROUNDING * max(1.0, np.abs(differences).sum())
    if len(differences) <= _EXACT_PAIRS:
        return float(np.mean(np.abs(_all_signs(len(differences)) @ differences) >= observed))
    generator = np.random.default_rng(seed)
    extreme = 0
    for rows in _batches(resamples, len(differences)):
        signs = generator.integers(2, size=(rows, len(differences)), dtype=np.int8) * 2 - 1
        extreme += int(np.count_nonzero(np.abs(signs @ differences) >= observed))
    return (extreme + 1) / (resamples + 1)


def t_test(first: Float64Array, second: Float64Array) -> float:
    """Give the two-sided p-value of the paired t-test; 1 where no pair differs."""
    # scipy takes half a second to import, and `reml evaluate` does not need it.
    from scipy import stats

    differences = _differences(first, second)
    if not differences.any():
        return 1.0
    if np.ptp(differences) <= _ROUNDING * np.abs(differences).max():
        return 0.0
    return float(stats.ttest_rel(first, second).pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values of a family of tests by Holm's step-down method, in the order given."""
    count = len(p_values)
    corrected, largest = [0.0] * count, 0.0
    for place, number in enumerate(sorted(range(count), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (count - place) * p_values[number]))
        corrected[number] = largest
    return corrected


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f"level {level} must be between 0 and 1, such as 0.95.")


def _differences(first: Float64Array, second: Float64Array) -> Float64Array:
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"scores of shapes {first.shape} and {second.shape}: give two systems' scores of 2 or more examples."
        )
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("scores must be finite numbers.")
    return differences


def _batches(resamples: int, size: int) -> list[int]:
    if resamples < 1:
        raise ValueError(f"resamples {resamples} must be 1 or more.")
    rows = max(1, _CELLS // size)
    return [min(rows, resamples - start) for start in range(0, resamples, rows)]


def _all_signs(count: int) -> npt.NDArray[np.int8]:
    bits = np.arange(1 << count)[:, None] >> np.arange(count) & 1
    return (bits * 2 - 1).astype(np.int8)
