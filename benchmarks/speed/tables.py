"""What was measured, as tables: for the terminal here, for a page in `page.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reml.benchmarks.speed.figures import Answering, Comparison, Measured
from reml.benchmarks.speed.growth import FULL, Growth
from reml.benchmarks.speed.ratios import Ratios, ratios
from reml.reporting.table import Table

TEXTS = frozenset({"engine", "from", "queries", "model", "quantity", "unit", "scoring"})


def titled(comparison: Comparison) -> str:
    """Say what was compared on what."""
    postings = ", ".join(f"{name} {touched:,.0f}" for name, touched in comparison.touched.items())
    return f"{comparison.model}, {comparison.rows:,} items ({comparison.corpus}); postings a query touches: {postings}"


def built(comparison: Comparison) -> Table:
    """Show what building and opening cost; `base MB` of the peak was there before the work began."""
    columns = ("engine", "from", "build s", "CPU s", "peak MB", "base MB", "disk MB", "first result s", "search MB")
    rows = []
    for measured in comparison.engines:
        for build in measured.builds:
            cost, serving = build.cost, measured.serving
            cells = (cost.wall, cost.cpu, cost.peak / 1e6, cost.base / 1e6, build.disk / 1e6)
            searched = (serving.first_result, serving.cost.peak / 1e6) if build is measured.builds[0] else ()
            shown = [*map(short, cells), *map(short, searched)]
            rows.append((measured.engine, build.source, *shown, *[""] * (7 - len(shown))))
    return Table(columns, TEXTS, tuple(rows))


def answered(comparison: Comparison, baseline: Measured) -> Table:
    """Show how queries were answered, beside the baseline."""
    threads = [throughput.threads for throughput in baseline.serving.answers[0].throughputs]
    times = ("p50 ms", "p95", "p99", "CPU p50", "CPU p99", "× p50")
    rates = ("q/CPU s", "× batch", *(f"q/s {count} thr." for count in threads), f"× {threads[-1]} thr.")
    rows = (_answer_cells(measured, answer, ratios(answer, baseline)) for measured, answer in _answers(comparison))
    return Table(("queries", "k", "engine", "recall", *times, *rates), TEXTS, tuple(rows))


def grown(growths: Sequence[Growth]) -> Table:
    """Show the power laws and where they lead."""
    columns = ("model", "engine", "quantity", "rows ^", "misfit", f"at {FULL / 1e6:.0f} million", "by a line", "unit")
    rows = (
        (
            one.model,
            one.engine,
            one.quantity,
            f"{one.law.exponent:.2f}",
            f"{one.law.misfit:.2f}",
            short(one.at_full),
            short(one.line_at_full),
            one.unit,
        )
        for one in growths
    )
    return Table(columns, TEXTS, tuple(rows))


def short(value: float) -> str:
    """Write a number with three significant digits and no exponent."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _answers(comparison: Comparison) -> Iterator[tuple[Measured, Answering]]:
    """Yield answers by set of queries and k, the engines of each together."""
    every = [(measured, answer) for measured in comparison.engines for answer in measured.serving.answers]
    sets = list(comparison.touched)
    yield from sorted(every, key=lambda pair: (sets.index(pair[1].queries), pair[1].k))


def _answer_cells(measured: Measured, answer: Answering, beside: Ratios) -> tuple[str, ...]:
    wall, cpu = answer.latency.wall, answer.latency.cpu
    recall = f"{measured.recall(answer.queries, answer.k):.3f}"
    times = map(short, (wall.p50, wall.p95, wall.p99, cpu.p50, cpu.p99))
    rates = (short(throughput.per_second) for throughput in answer.throughputs)
    batch = (short(answer.throughputs[0].per_cpu_second), f"{beside.batch:.2f}")
    start = (answer.queries, str(answer.k), measured.engine, recall)
    return (*start, *times, f"{beside.single:.2f}", *batch, *rates, f"{beside.batch_all:.2f}")
