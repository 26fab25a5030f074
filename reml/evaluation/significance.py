"""Whether two systems differ on the same examples: intervals, tests and correction for many of them.

The tests take the scores of each example, aligned, as `Evaluation.values` has them. The randomisation test is the one
that Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
Evaluation" (CIKM 2007) recommend, beside the t-test and the bootstrap; correction is Holm's (1979).
scipy resamples. It takes a second to import and not every command needs it: the functions import it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.vectors import Float64Array

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


@dataclass(frozen=True, slots=True)
class Tested:
    """A mean difference of a family that was tested: first minus second, over the same examples.

    interval: 95 %, by bootstrap over examples. p: of the paired randomisation test, two-sided. corrected: by Holm's
    method over the family.
    """

    difference: float
    interval: Interval
    p: float
    corrected: float


def tested(pairs: Sequence[tuple[Float64Array, Float64Array]]) -> list[Tested]:
    """Test a family of differences; each pair is two systems' scores of the same 2 or more examples, aligned."""
    found = [randomisation_test(*pair) for pair in pairs]
    return [
        Tested(float((first - second).mean()), bootstrap_interval(first, second), p, corrected)
        for (first, second), p, corrected in zip(pairs, found, holm(found), strict=True)
    ]


def example_interval(values: Float64Array) -> Interval:
    """Give the 95 % interval of a mean over 2 or more examples, by bootstrap over them."""
    return bootstrap_interval(values, np.zeros_like(values))


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Give Student's t interval of the mean of independent values, such as a measure under 2 or more seeds."""
    from scipy import stats

    _check_level(level)
    if len(values) < 2 or not np.isfinite(values).all():
        raise ValueError(f"an interval needs 2 or more finite values, not {list(values)}.")
    mean, error = float(np.mean(values)), float(stats.sem(values))
    # Scaled here: equal values have an error of 0, of which scipy makes no interval.
    low, high = stats.t.interval(level, len(values) - 1)
    return Interval(mean + float(low) * error, mean + float(high) * error)


def bootstrap_interval(
    first: Float64Array, second: Float64Array, *, level: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Give the percentile interval of mean(first - second) over pairs drawn with replacement."""
    from scipy import stats

    _check_level(level)
    _check_resamples(resamples)
    differences = _differences(first, second)
    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        batch=_batch(len(differences)),
        confidence_level=level,
        method="percentile",
        rng=seed,
    ).confidence_interval
    return Interval(float(found.low), float(found.high))


def randomisation_test(first: Float64Array, second: Float64Array, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Give the two-sided p-value of the paired randomisation test on the mean difference.

    Each pair is swapped or not. All ways are tried for 14 pairs or fewer; otherwise `resamples` random ones, the
    observed one counted among them, so that p is never 0.
    """
    _check_resamples(resamples)
    differences = _differences(first, second)
    return _exact(differences) if len(differences) <= _EXACT_PAIRS else _sampled(differences, resamples, seed)


def _exact(differences: Float64Array) -> float:
    from scipy import stats

    return float(
        stats.permutation_test(
            (differences,),
            _extremity(differences),
            permutation_type="samples",
            vectorized=True,
            n_resamples=np.inf,
            alternative="greater",
        ).pvalue
    )


def _sampled(differences: Float64Array, resamples: int, seed: int) -> float:
    """Swap by random signs: `permutation_test` draws a permutation for each pair, which takes 13 times as long."""
    from scipy import stats

    generator = np.random.default_rng(seed)

    def swapped(size: tuple[int, int]) -> Float64Array:
        signs = generator.integers(2, size=size, dtype=np.int8) * 2 - 1
        return signs * differences

    return float(
        stats.monte_carlo_test(
            differences,
            swapped,
            _extremity(differences),
            vectorized=True,
            n_resamples=resamples,
            batch=_batch(len(differences)),
            alternative="greater",
            axis=-1,
        ).pvalue
    )


def _extremity(differences: Float64Array) -> Callable[..., Float64Array]:
    """Make the statistic: 1 where a mean is as far from 0 as the observed one, so that rounding decides nothing."""
    least = abs(differences.sum()) - _ROUNDING * max(1.0, np.abs(differences).sum())

    def extreme(swapped: Float64Array, axis: int) -> Float64Array:
        far: Float64Array = (np.abs(swapped.sum(axis=axis)) >= least).astype(np.float64)
        return far

    return extreme


def t_test(first: Float64Array, second: Float64Array) -> float:
    """Give the two-sided p-value of the paired t-test; 1 where no pair differs."""
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


def _check_resamples(resamples: int) -> None:
    if resamples < 1:
        raise ValueError(f"resamples {resamples} must be 1 or more.")


def _differences(first: Float64Array, second: Float64Array) -> Float64Array:
    if first.shape != second.shape or first.ndim != 1 or len(first) < 2:
        raise ValueError(
            f"scores of shapes {first.shape} and {second.shape}: give two systems' scores of 2 or more examples."
        )
    differences = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    if not np.isfinite(differences).all():
        raise ValueError("scores must be finite numbers.")
    return differences


def _batch(size: int) -> int:
    return max(1, _CELLS // size)
