"""What is measured, as values. Times are seconds unless a name says otherwise, sizes are bytes."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

Figure = TypeVar("Figure")


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall time, CPU time of all threads, peak memory of the process, and its memory before the work began."""

    wall: float
    cpu: float
    peak: int
    base: int


@dataclass(frozen=True, slots=True)
class Build:
    """An index built from a source, and its size on disk."""

    source: str
    cost: Cost
    disk: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Milliseconds of a call: percentiles and mean over queries."""

    p50: float
    p95: float
    p99: float
    mean: float


@dataclass(frozen=True, slots=True)
class Latency:
    """One call at a time, on one thread."""

    wall: Spread
    cpu: Spread


@dataclass(frozen=True, slots=True)
class Throughput:
    """All queries in one call: queries per second of wall time, and per second of CPU time."""

    threads: int
    per_second: float
    per_cpu_second: float


@dataclass(frozen=True, slots=True)
class Answering:
    """How a set of queries is answered at one k."""

    queries: str
    k: int
    latency: Latency
    throughputs: tuple[Throughput, ...]


@dataclass(frozen=True, slots=True)
class Serving:
    """An index searched in a fresh process: from opening it, not in the page cache, to the first result; then all."""

    first_result: float
    cost: Cost
    answers: tuple[Answering, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the k best items, by exact scores of the engine's own variant, that it has found."""

    queries: str
    k: int
    recall: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All figures of an engine on a workload, medians over the rounds."""

    engine: str
    scoring: str
    builds: tuple[Build, ...]
    serving: Serving
    recalls: tuple[Recall, ...]

    def recall(self, queries: str, k: int) -> float:
        """Look up a recall."""
        return next(found.recall for found in self.recalls if (found.queries, found.k) == (queries, k))


@dataclass(frozen=True, slots=True)
class Skipped:
    """An engine without figures, and why."""

    engine: str
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Engines on the same items and queries; `touched` is the mean number of postings that a query of a set touches."""

    corpus: str
    model: str
    rows: int
    nonzeros: int
    touched: dict[str, float]
    engines: tuple[Measured, ...]
    skipped: tuple[Skipped, ...]


def median_of(figures: Sequence[Figure]) -> Figure:
    """Give the median of figures of the same make, number by number; texts are those of the first."""
    first = figures[0]
    if isinstance(first, str):
        return first
    if isinstance(first, int):
        return cast(Figure, round(statistics.median(cast(Sequence[int], figures))))
    if isinstance(first, float):
        return cast(Figure, statistics.median(cast(Sequence[float], figures)))
    if isinstance(first, tuple):
        return cast(
            Figure, tuple(median_of(parts) for parts in zip(*cast(Sequence[tuple[object]], figures), strict=True))
        )
    names = [field.name for field in dataclasses.fields(first)]  # type: ignore[arg-type]  # figures are dataclasses
    return type(first)(*(median_of([getattr(figure, name) for figure in figures]) for name in names))
