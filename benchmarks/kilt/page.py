"""A page of a matrix that needs nothing else: tables, plots of score against cost, links to the reports of cells."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlencode

from reml.comparison.averages import averages
from reml.comparison.matrix import Cell, Matrix
from reml.contract.examples import Json
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.report_origin import origin_of
from reml.reporting.table import Table


def write_page(path: Path, matrix: Matrix, *, tables: Mapping[str, Table], manifest: Mapping[str, Json]) -> None:
    """Write the page. tables: by their names `figures`, `costs`, `tests` and `published`. manifest: of its folder."""
    name = str(manifest["name"])
    values = {
        "title": f"reml: {name}",
        "heading": name,
        "tables": tables,
        "seeds": len(matrix.seeds),
        "accesses": matrix.accesses,
        "reports": {task: _reports(matrix, task, path.parent) for task in matrix.measures},
        "plots": [_plot(matrix, task) for task in matrix.measures],
        "origin": origin_of(manifest),
    }
    write_whole_page(path, "reml.benchmarks.kilt/page.html", values)


def _reports(matrix: Matrix, task: str, folder: Path) -> list[dict[int, str]]:
    """Give the address of each cell's report at its own examples, by access model and seed."""
    return [_addresses(matrix, task, access, folder) for access in matrix.accesses]


def _addresses(matrix: Matrix, task: str, access: str, folder: Path) -> dict[int, str]:
    chosen = urlencode({"task": task, "access": access}, quote_via=quote)
    reports = {seed: os.path.relpath(run / "report.html", folder) for seed, run in matrix.runs.items()}
    return {seed: f"{quote(report)}#{chosen}" for seed, report in reports.items()}


def _plot(matrix: Matrix, task: str) -> Plot:
    """Plot one point for each system: means over seeds."""
    lines, ranking = [], matrix.ranking(task)
    scale, title = matrix.scale(ranking, task), "KILT score" if ranking == "KILT score" else matrix.measures[task]
    for style, access in enumerate(matrix.accesses):
        found = averages(matrix, task, access)
        if found:
            milliseconds = sum(_milliseconds(cell) for cell in matrix.of(task, access)) / len(matrix.seeds)
            lines.append(Line(access, (milliseconds,), (scale * found[ranking].mean,), style))
    return Plot(f"{task}: {title}", "ms an example, retrieved and predicted", tuple(lines), floor=0.0)


def _milliseconds(cell: Cell) -> float:
    return 1000 * (cell.costs.retrieve + cell.costs.predict) / len(cell)
