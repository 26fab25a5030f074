"""How many times as fast an engine is as the baseline, by CPU time, which other work on the machine changes least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reml.benchmarks.speed.figures import Answering, Comparison, Measured


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of the median of single calls, of a batch on one thread, and of a batch on all threads by wall time."""

    single: float
    batch: float
    batch_all: float


def baseline_of(comparison: Comparison, preferred: Sequence[str]) -> Measured | None:
    """Choose the first of the preferred engines that has figures; the first engine if none has."""
    named = {measured.engine: measured for measured in comparison.engines}
    found = [named[name] for name in preferred if name in named]
    return next(iter([*found, *comparison.engines]), None)


def ratios(answer: Answering, baseline: Measured) -> Ratios:
    """Compare an answer with the baseline's to the same queries at the same k."""
    other = next(other for other in baseline.serving.answers if (other.queries, other.k) == (answer.queries, answer.k))
    return Ratios(
        single=other.latency.cpu.p50 / answer.latency.cpu.p50,
        batch=answer.throughputs[0].per_cpu_second / other.throughputs[0].per_cpu_second,
        batch_all=answer.throughputs[-1].per_second / other.throughputs[-1].per_second,
    )
