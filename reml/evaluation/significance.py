"""Whether two systems differ on the same examples: intervals, tests and correction for many of them.

The tests take the scores of each example, aligned, as `Evaluation.values` has them. The randomisation test is the one
that Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for Information Retrieval
Evaluation" (CIKM 2007) recommend, beside the t-test and the bootstrap; correction is Holm's (1979).
scipy takes a second to import, and few need the distributions and the tests that are its own: the functions import it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from reml.contract.vectors import Float64Array, Int64Array
from reml.devices.progress import tracked

# Resamples are drawn so many cells at a time, which bounds the memory.
_CELLS = 1 << 22
# With so few pairs every assignment of signs is tried, and the p-value is exact.
_EXACT_PAIRS = 14
# So few distinct values are drawn by how often each comes, which is as good and costs the same for any number of pairs.
_FEW = 32
# Where there are more scores, their interval is narrow and found well enough with a tenth of the resamples.
_MANY = 1_000
# So many results are kept: measures often agree on every example, as recall and success do where one page is right.
_KEPT = 128
# So many draws are kept, of 2.5 MB at most: measures often differ on as many examples, if on others or by less.
_DRAWS = 32
# Means equal on paper may differ in the last bits.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a mean or a mean difference."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How two systems differ on the same examples, first minus second.

    interval: 95 %, by bootstrap. p: two-sided, of the randomisation test. corrected: by Holm's method over a family.
    """

    mean: float
    interval: Interval
    p: float
    corrected: float


def differences(pairs: Sequence[tuple[Float64Array, Float64Array]]) -> list[Difference]:
    """Test the pairs of a family, each two systems' scores of 2 or more examples, aligned."""
    shown = tracked(pairs, "test differences", unit="pairs")
    tested = [(randomisation_test(*both), bootstrap_interval(*both)) for both in shown]
    corrected = holm([p for p, _ in tested])
    return [
        Difference(float((one - other).mean()), interval, p, by_holm)
        for (one, other), (p, interval), by_holm in zip(pairs, tested, corrected, strict=True)
    ]


def score_interval(scores: Float64Array, level: float = 0.95) -> Interval | None:
    """Give the interval of the mean of independent examples' scores, or none where it cannot be told.

    Of right and wrong alone (1 and 0) it is Wilson's ("Probable Inference, the Law of Succession, and Statistical
    Inference", JASA 1927), which says something of 0 and of 1 too; of others the bootstrap's, for 2 or more.
    """
    _check_level(level)
    if len(scores) and np.isin(scores, (0.0, 1.0)).all():
        return _wilson(float(scores.mean()), len(scores), level)
    if len(scores) < 2 or not np.isfinite(scores).all():
        return None
    resamples = 10_000 if len(scores) <= _MANY else 1_000
    return bootstrap_interval(scores, np.zeros_like(scores), level=level, resamples=resamples)


def _wilson(share: float, count: int, level: float) -> Interval:
    z = NormalDist().inv_cdf((1 + level) / 2)
    spread = z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    middle, scale = share + z * z / (2 * count), 1 + z * z / count
    return Interval(max(0.0, float((middle - spread) / scale)), min(1.0, float((middle + spread) / scale)))


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
    _check_level(level)
    _check_resamples(resamples)
    return _bootstrapped(_differences(first, second).tobytes(), level, resamples, seed)


@functools.lru_cache(maxsize=_KEPT)
def _bootstrapped(pairs: bytes, level: float, resamples: int, seed: int) -> Interval:
    differences: Float64Array = np.frombuffer(pairs)
    distinct, counts = np.unique(differences, return_counts=True)
    if len(distinct) > _FEW:
        return _resampled(differences, level, resamples, seed)
    means = _drawn(tuple(counts.tolist()), resamples, seed) @ distinct / len(differences)
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return Interval(float(low), float(high))


@functools.lru_cache(maxsize=_DRAWS)
def _drawn(counts: tuple[int, ...], resamples: int, seed: int) -> Int64Array:
    """Draw with replacement from pairs that have so many of each value: how often each comes, [resamples, values]."""
    shares = np.array(counts) / sum(counts)
    return np.random.default_rng(seed).multinomial(sum(counts), shares, size=resamples)


def _resampled(differences: Float64Array, level: float, resamples: int, seed: int) -> Interval:
    """Draw the pairs themselves; the same as `scipy.stats.bootstrap` gives by the method "percentile"."""
    generator, count = np.random.default_rng(seed), len(differences)
    drawn = (generator.integers(0, count, (size, count)) for size in _batches(resamples, count))
    means = np.sort(np.concatenate([differences[rows].mean(axis=1) for rows in drawn]))
    tail = (1 - level) / 2
    ends = np.array([tail, 1 - tail])
    places = ends * resamples + (1 - ends)  # from 1, between two means
    before, share = places.astype(np.int64) - 1, places % 1
    low, high = (1 - share) * means[before] + share * means[np.minimum(before + 1, resamples - 1)]
    return Interval(float(low), float(high))


def randomisation_test(first: Float64Array, second: Float64Array, *, resamples: int = 10_000, seed: int = 0) -> float:
    """Give the two-sided p-value of the paired randomisation test on the mean difference.

    Each pair is swapped or not. All ways are tried for 14 pairs or fewer; otherwise `resamples` random ones, the
    observed one counted among them, so that p is never 0.
    """
    _check_resamples(resamples)
    differences = _differences(first, second)
    few = len(differences) <= _EXACT_PAIRS
    return _exact(differences) if few else _sampled(differences.tobytes(), resamples, seed)


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


@functools.lru_cache(maxsize=_KEPT)
def _sampled(pairs: bytes, resamples: int, seed: int) -> float:
    """Swap by random signs: `permutation_test` draws a permutation for each pair, which takes 13 times as long.

    Of pairs that differ by as much, only how many keep their sign is drawn.
    """
    differences: Float64Array = np.frombuffer(pairs)
    sizes, counts = np.unique(np.abs(differences), return_counts=True)
    if len(sizes) > _FEW:
        return _sign_by_sign(differences, resamples, seed)
    sums = _signed(tuple(counts.tolist()), resamples, seed) @ sizes
    return float((np.abs(sums) >= _least(differences)).sum() + 1) / (resamples + 1)


@functools.lru_cache(maxsize=_DRAWS)
def _signed(counts: tuple[int, ...], resamples: int, seed: int) -> Int64Array:
    """Draw signs for so many pairs of each size: how many more keep it than lose it, [resamples, sizes]."""
    kept = np.random.default_rng(seed).binomial(counts, 0.5, size=(resamples, len(counts)))
    more: Int64Array = 2 * kept - np.array(counts)
    return more


def _sign_by_sign(differences: Float64Array, resamples: int, seed: int) -> float:
    generator, count = np.random.default_rng(seed), len(differences)
    extreme = _extremity(differences)
    found = 0.0
    for size in _batches(resamples, count):
        signs = generator.integers(2, size=(size, count), dtype=np.int8) * 2 - 1
        found += extreme(signs * differences, axis=1).sum()
    return float(found + 1) / (resamples + 1)


def _least(differences: Float64Array) -> float:
    """Give the smallest sum that is as far from 0 as the observed one, on paper."""
    return float(abs(differences.sum()) - _ROUNDING * max(1.0, np.abs(differences).sum()))


def _extremity(differences: Float64Array) -> Callable[..., Float64Array]:
    """Make the statistic: 1 where a mean is as far from 0 as the observed one, so that rounding decides nothing."""
    least = _least(differences)

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


def _batches(resamples: int, pairs: int) -> Iterator[int]:
    """Part resamples into batches of so many that memory is bounded."""
    size = max(1, _CELLS // pairs)
    return (min(size, resamples - start) for start in range(0, resamples, size))
