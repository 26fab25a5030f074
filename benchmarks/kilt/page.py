"""A page of a matrix that needs nothing else: tables, plots of score against cost, links to the reports of cells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as Tree

from reml.comparison.averages import averages
from reml.comparison.matrix import Cell, Matrix
from reml.contract.examples import Json
from reml.reporting.markup import element
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot, figure, legend
from reml.reporting.report_origin import origin_section
from reml.reporting.table import Grid

FIGURES = (
    "Per cent: means over seeds ({seeds}), ± half the 95 % interval over seeds (Student's t; none with one seed). "
    "Downstream is the measure KILT ranks the task by; the KILT score counts it only where R-precision is 1."
)
COSTS = (
    "What was spent when each part was made, means over seeds; cached parts tell what they cost then. Parts that cells "
    "share count whole in each. Words read are those of the items that the predictor read for an example."
)
TESTS = (
    "Differences in per cent, first minus second, with 95 % bootstrap intervals over examples; p by the paired "
    "randomisation test on each example's mean over seeds, corrected by Holm's method over all tasks and pairs of a "
    "figure. A star marks corrected p below 0.05."
)
PUBLISHED = (
    "In per cent, as their sources print them. Where the last column says why, figures cannot be compared: they then "
    "only show where the art stands."
)


def write_page(path: Path, matrix: Matrix, *, tables: Mapping[str, Grid], manifest: Mapping[str, Json]) -> None:
    """Write the page. tables: by their names `figures`, `costs`, `tests` and `published`. manifest: of its folder."""
    sections = [
        _section("figures", "Results", FIGURES.format(seeds=len(matrix.seeds)), tables["figures"]),
        _reports(matrix, path.parent),
        _section("costs", "Costs", COSTS, tables["costs"], _plots(matrix)),
        _section("tests", "Differences", TESTS, tables["tests"]),
        _section("published", "Published results", PUBLISHED, tables["published"]),
        origin_section(manifest),
    ]
    name = str(manifest["name"])
    links = [element("a", {"href": f"#{part.get('id')}"}, part.findtext("h2") or "") for part in sections]
    write_whole_page(path, name, sections, title=f"reml: {name}", top=[element("nav", None, *links)])


def _section(identity: str, heading: str, note: str, grid: Grid, *more: Tree.Element) -> Tree.Element:
    table = grid.table(heading) if grid.rows else element("p", None, "Nothing to show.")
    parts = (element("h2", None, heading), *more, table, element("p", None, note))
    return element("section", {"id": identity}, *parts)


def _reports(matrix: Matrix, folder: Path) -> Tree.Element:
    """Link each cell to its report, at its own examples."""
    heads = [element("th", {"scope": "col"}, name) for name in ("task", *matrix.accesses)]
    rows = []
    for task in matrix.measures:
        found = (_links(matrix, task, access, folder) for access in matrix.accesses)
        rows.append(element("tr", None, element("th", {"scope": "row"}, task), *found))
    table = element("table", None, element("thead", None, element("tr", None, *heads)), element("tbody", None, *rows))
    note = "Each cell's examples, by what became of them: a number is a seed."
    scroll = element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Reports"}, table)
    return element("section", {"id": "reports"}, element("h2", None, "Reports"), scroll, element("p", None, note))


def _links(matrix: Matrix, task: str, access: str, folder: Path) -> Tree.Element:
    chosen = urlencode({"task": task, "access": access}, quote_via=quote)
    reports = {seed: quote(os.path.relpath(run / "report.html", folder)) for seed, run in matrix.runs.items()}
    links = [element("a", {"href": f"{report}#{chosen}"}, str(seed)) for seed, report in reports.items()]
    return element("td", None, *(part for link in links for part in (link, " ")))


def _plots(matrix: Matrix) -> Tree.Element:
    shown = [figure(_plot(matrix, task)) for task in matrix.measures]
    return element("div", None, legend(matrix.accesses), element("div", {"class": "plots"}, *shown))


def _plot(matrix: Matrix, task: str) -> Plot:
    """Plot one point for each system: means over seeds."""
    lines = []
    for style, access in enumerate(matrix.accesses):
        found = averages(matrix, task, access)
        if found:
            milliseconds = sum(_milliseconds(cell) for cell in matrix.of(task, access)) / len(matrix.seeds)
            lines.append(Line(access, (milliseconds,), (100 * found["KILT score"].mean,), style))
    return Plot(f"{task}: KILT score", "ms an example, retrieved and predicted", tuple(lines), floor=0.0)


def _milliseconds(cell: Cell) -> float:
    return 1000 * (cell.costs.retrieve + cell.costs.predict) / len(cell)
