"""A page of a run that needs nothing else: tables, plots, and where the growth leads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Tree

from reml.benchmarks.ingest.result import Growth, Result
from reml.benchmarks.ingest.tables import built, grown, interrupted, rates
from reml.kilt.catalogue import PAGES
from reml.reporting.markup import element
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot, figure

HEADING = "From a knowledge source to a collection"
READING = (
    "A synthetic source in KILT's schema with the lengths of its pages. Each collection is built in a fresh process "
    "from a file that is not in the page cache; memory is the peak of the whole process, mapped files included. The "
    "machine's load before the run was {load:.1f}: where it is not near 0, other work took part of the wall time."
)
LEADING = (
    f"At {PAGES:,} pages, those of KILT, nothing was measured: expect a value between that of the power law and that "
    "of a straight line with a fixed cost. The misfit is the largest ratio of a measured value and the power law. "
    "Memory is fitted over the builds of several segments: it is bounded by one."
)


def write_page(path: Path, result: Result) -> None:
    """Write the page."""
    write_whole_page(path, HEADING, _sections(result), title=f"reml: {HEADING.lower()}")


def _sections(result: Result) -> list[Tree.Element]:
    reading = element("p", None, READING.format(load=result.load))
    tables = (built(result.builds).table("Builds"), rates(result.builds).table("Rates"))
    sections = [_section("Builds", *tables, reading)]
    if result.growths:
        plots = element("div", {"class": "plots"}, *map(_figure, result.growths))
        table = grown(result.growths).table("Growth")
        sections.append(_section("Growth with the number of pages", plots, table, element("p", None, LEADING)))
    sections.append(_section("Killed and gone on with", element("p", None, interrupted(result.interruption))))
    origin = [_pairs(list(values.items())) for values in (result.machine, result.versions, result.settings)]
    return [*sections, _section("Where this comes from", *origin)]


def _section(title: str, *children: Tree.Element) -> Tree.Element:
    return element("section", None, element("h2", None, title), *children)


def _figure(growth: Growth) -> Tree.Element:
    line = Line(growth.quantity, tuple(map(float, growth.pages)), growth.values, 0)
    return figure(Plot(f"{growth.quantity}, {growth.unit}", "pages", (line,), floor=0.0))


def _pairs(values: Sequence[tuple[str, str]]) -> Tree.Element:
    parts = ((element("dt", None, name), element("dd", None, value)) for name, value in values)
    return element("dl", None, *(part for pair in parts for part in pair))
