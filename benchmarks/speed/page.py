"""A page of a run that needs nothing else: tables, plots, and where the growth leads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reml.benchmarks.speed.figures import Answering, Comparison, Spread
from reml.benchmarks.speed.growth import FULL, Growth
from reml.benchmarks.speed.ratios import baseline_of
from reml.benchmarks.speed.result import Result
from reml.benchmarks.speed.tables import answered, built, grown, titled
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.table import Table

HEADING = "Speed of indexes"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page shows of a comparison: tables by their headings, none where no engine has figures."""

    title: str
    tables: Mapping[str, Table]
    baseline: str
    scorings: str
    plots: Sequence[Plot]


def write_page(path: Path, result: Result, preferred: Sequence[str]) -> None:
    """Write the page; ratios refer to the first of the preferred engines that has figures."""
    styles = {name: style for style, name in enumerate(_engines(result.comparisons))}
    kinds = dict.fromkeys((growth.model, growth.quantity, growth.unit) for growth in result.growths)
    values = {
        "title": f"reml: {HEADING.lower()}",
        "heading": HEADING,
        "engines": list(styles),
        "comparisons": [_shown(comparison, preferred, styles) for comparison in result.comparisons],
        "growth": grown(result.growths),
        "growth_plots": [_growth_plot(kind, result.growths, styles) for kind in kinds],
        "full": FULL,
        "skipped": result.skipped,
        "origin": (result.machine, result.versions, result.settings),
    }
    write_whole_page(path, "reml.benchmarks.speed/page.html", values)


def _engines(comparisons: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(measured.engine for comparison in comparisons for measured in comparison.engines))


def _shown(comparison: Comparison, preferred: Sequence[str], styles: Mapping[str, int]) -> Shown:
    baseline = baseline_of(comparison, preferred)
    if baseline is None:
        return Shown(titled(comparison), tables={}, baseline="", scorings="", plots=())
    return Shown(
        title=titled(comparison),
        tables={"Building and opening": built(comparison), "Answering": answered(comparison, baseline)},
        baseline=baseline.engine,
        scorings="; ".join(f"{measured.engine}: {measured.scoring}" for measured in comparison.engines),
        plots=_tails(comparison, styles),
    )


def _tails(comparison: Comparison, styles: Mapping[str, int]) -> list[Plot]:
    """Plot the percentiles of each set of queries at each k by CPU time, which a busy machine changes little."""
    asked = dict.fromkeys(
        (answer.queries, answer.k) for measured in comparison.engines for answer in measured.serving.answers
    )
    return [
        Plot(
            f"{queries}, k = {k}: log10 of CPU ms",
            "percentile of calls",
            tuple(
                Line(measured.engine, (50.0, 95.0, 99.0), _logarithms(answer.latency.cpu), styles[measured.engine])
                for measured in comparison.engines
                for answer in _at(measured.serving.answers, queries, k)
            ),
        )
        for queries, k in asked
    ]


def _at(answers: Sequence[Answering], queries: str, k: int) -> list[Answering]:
    return [answer for answer in answers if (answer.queries, answer.k) == (queries, k)]


def _logarithms(spread: Spread) -> tuple[float, ...]:
    return tuple(math.log10(value) for value in (spread.p50, spread.p95, spread.p99))


def _growth_plot(kind: tuple[str, str, str], growths: Sequence[Growth], styles: Mapping[str, int]) -> Plot:
    model, quantity, unit = kind
    lines = tuple(
        Line(
            growth.engine,
            tuple(math.log10(rows) for rows in growth.rows),
            tuple(math.log10(value) for value in growth.values),
            styles[growth.engine],
        )
        for growth in growths
        if (growth.model, growth.quantity, growth.unit) == kind
    )
    return Plot(f"{model}, {quantity}: log10 of {unit}", "log10 of items", lines)
