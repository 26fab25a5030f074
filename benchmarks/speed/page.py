"""A page of a run that needs nothing else: tables, plots, and where the growth leads."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as Tree

from reml.benchmarks.speed.figures import Answering, Comparison, Spread
from reml.benchmarks.speed.growth import FULL, Growth
from reml.benchmarks.speed.ratios import baseline_of
from reml.benchmarks.speed.result import Result
from reml.benchmarks.speed.tables import TEXTS, Grid, answered, built, grown, titled
from reml.reporting.markup import element
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot, figure, legend

HEADING = "Speed of indexes"
READING = (
    "Medians over the rounds; engines take turns. One call at a time on one thread: p50, p95, p99. Queries a second in "
    "a batch. × is how many times as fast as {baseline}: of the median call and of a batch on one thread by CPU time, "
    "on all threads by wall time. Recall counts against exact scores of the engine's own variant. Queries are brought "
    "into the engine's own form before the clock starts; memory-mapped files count in memory as far as they are read."
)


def write_page(path: Path, result: Result, preferred: Sequence[str]) -> None:
    """Write the page; ratios refer to the first of the preferred engines that has figures."""
    styles = {name: style for style, name in enumerate(_engines(result.comparisons))}
    sections = [_comparison(comparison, preferred, styles) for comparison in result.comparisons]
    if result.growths:
        sections.append(_growth(result.growths, styles))
    sections += [_skipped(result), _origin(result)]
    write_whole_page(path, HEADING, sections, title=f"reml: {HEADING.lower()}")


def _engines(comparisons: Sequence[Comparison]) -> list[str]:
    return list(dict.fromkeys(measured.engine for comparison in comparisons for measured in comparison.engines))


def _comparison(comparison: Comparison, preferred: Sequence[str], styles: Mapping[str, int]) -> Tree.Element:
    section = element("section", None, element("h2", None, titled(comparison)))
    baseline = baseline_of(comparison, preferred)
    if baseline is None:
        section.append(element("p", None, "No engine has figures: see what was left out."))
        return section
    scorings = "; ".join(f"{measured.engine}: {measured.scoring}" for measured in comparison.engines)
    section.extend([element("h3", None, "Building and opening"), _table(built(comparison))])
    section.extend([element("h3", None, "Answering"), _table(answered(comparison, baseline))])
    section.append(element("p", None, READING.format(baseline=baseline.engine), f" Scores: {scorings}."))
    section.extend([legend(list(styles)), _figures(_tails(comparison, styles))])
    return section


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


def _growth(growths: Sequence[Growth], styles: Mapping[str, int]) -> Tree.Element:
    note = (
        "Over the synthetic corpora. The misfit is the largest ratio of a measured value and the power law. At "
        f"{FULL:,} items, about KILT's passages, nothing was measured: expect a value between that of the power law, "
        "which fixed costs of small sizes make too small, and that of a straight line with a fixed cost."
    )
    kinds = dict.fromkeys((growth.model, growth.quantity, growth.unit) for growth in growths)
    plots = [_growth_plot(kind, growths, styles) for kind in kinds]
    heading = element("h2", None, "Growth with the number of items")
    table = _table(grown(growths))
    return element("section", None, heading, legend(list(styles)), _figures(plots), table, element("p", None, note))


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


def _figures(plots: Sequence[Plot]) -> Tree.Element:
    return element("div", {"class": "plots"}, *map(figure, plots))


def _table(grid: Grid) -> Tree.Element:
    kinds = [{} if column in TEXTS else {"class": "number"} for column in grid.columns]
    names = (element("th", {**kind, "scope": "col"}, name) for kind, name in zip(kinds, grid.columns, strict=True))
    rows = (
        element("tr", None, *(element("td", kind, cell) for kind, cell in zip(kinds, row, strict=True)))
        for row in grid.rows
    )
    table = element("table", None, element("thead", None, element("tr", None, *names)), element("tbody", None, *rows))
    return element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Figures"}, table)


def _skipped(result: Result) -> Tree.Element:
    section = element("section", None, element("h2", None, "Left out"))
    lines = [element("li", None, f"{one.engine}: {one.reason}") for one in result.skipped]
    section.append(element("ul", None, *lines) if lines else element("p", None, "Nothing."))
    return section


def _origin(result: Result) -> Tree.Element:
    section = element("section", None, element("h2", None, "Where this comes from"))
    for values in (result.machine, result.versions, result.settings):
        pairs = (
            part for name, value in values.items() for part in (element("dt", None, name), element("dd", None, value))
        )
        section.append(element("dl", None, *pairs))
    return section
