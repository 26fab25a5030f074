"""A page of a run that needs nothing else: tables, plots, and where the growth leads."""

from __future__ import annotations

from pathlib import Path

from reml.benchmarks.ingest.result import Growth, Result
from reml.benchmarks.ingest.tables import built, grown, interrupted, rates
from reml.kilt.catalogue import PAGES
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot

HEADING = "From a knowledge source to a collection"


def write_page(path: Path, result: Result) -> None:
    """Write the page."""
    values = {
        "title": f"reml: {HEADING.lower()}",
        "heading": HEADING,
        "built": built(result.builds),
        "rates": rates(result.builds),
        "load": result.load,
        "growth": grown(result.growths),
        "plots": [_plot(growth) for growth in result.growths],
        "pages": PAGES,
        "interrupted": interrupted(result.interruption),
        "origin": (result.machine, result.versions, result.settings),
    }
    write_whole_page(path, "reml.benchmarks.ingest/page.html", values)


def _plot(growth: Growth) -> Plot:
    line = Line(growth.quantity, tuple(map(float, growth.pages)), growth.values, 0)
    return Plot(f"{growth.quantity}, {growth.unit}", "pages", (line,), floor=0.0)
