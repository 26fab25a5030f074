"""A small result with made-up figures that a reader can compute with."""

from __future__ import annotations

from reml.benchmarks.speed.figures import (
    Answering,
    Build,
    Comparison,
    Cost,
    Latency,
    Measured,
    Recall,
    Serving,
    Skipped,
    Spread,
    Throughput,
)
from reml.benchmarks.speed.growth import growths
from reml.benchmarks.speed.result import Result

MB = 1_000_000


def measured(name: str, *, speed: float, rows: int) -> Measured:
    """An engine whose calls take rows / speed microseconds and whose build takes as many milliseconds."""
    milliseconds = rows / speed / 1_000
    spread = Spread(milliseconds, 2 * milliseconds, 4 * milliseconds, 1.5 * milliseconds)
    rates = tuple(Throughput(threads, threads * 1e6 * speed / rows, 1e6 * speed / rows) for threads in (1, 2))
    answers = tuple(Answering("short", k, Latency(spread, spread), rates) for k in (10, 100))
    cost = Cost(milliseconds, milliseconds, peak=100 * MB + round(rows * 1_000 / speed), base=100 * MB)
    recalls = (Recall("short", 10, 1.0), Recall("short", 100, 0.5))
    return Measured(name, "dot product", (Build("text", cost, rows),), Serving(0.25, cost, answers), recalls)


def comparison(rows: int) -> Comparison:
    """Compare `fast`, four times as fast as `slow`, and `gone`, which failed."""
    engines = (measured("fast", speed=4.0, rows=rows), measured("slow", speed=1.0, rows=rows))
    return Comparison("synthetic", "bm25", rows, 80 * rows, {"short": 7.0}, engines, (Skipped("gone", "it <fell>"),))


def result() -> Result:
    """Two sizes, a hundred times apart."""
    comparisons = [comparison(1_000), comparison(100_000)]
    skipped = [Skipped("gone", "it <fell>")]
    return Result({"cores": "2"}, {"reml": "0"}, {"k": "10,100"}, comparisons, growths(comparisons), skipped)
