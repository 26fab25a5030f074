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
    return [{cell.seed: _address(cell, folder) for cell in matrix.of(task, access)} for access in matrix.accesses]


def _address(cell: Cell, folder: Path) -> str:
    chosen = urlencode({"task": cell.task, "access": cell.access}, quote_via=quote)
    return f"{quote(os.path.relpath(cell.report, folder))}#{chosen}"


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
    return 1000 * (cell.costs.retrieve + cell.costs.predict) / len(cell.evaluation)
