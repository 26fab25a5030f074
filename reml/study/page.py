"""`report.html` of a study: one page that needs nothing else, with tables, recall against k and the training losses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reml.comparison.averages import average
from reml.comparison.conditions import FROZEN, Condition, controls
from reml.comparison.matrix import Matrix
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.table import Table
from reml.study.cells import DEPTHS, RECALL

STYLES = ("objective", "frozen", "untrained", "shuffled")


def write_page(
    path: Path, name: str, tables: Sequence[Table], *, matrix: Matrix, conditions: Sequence[Condition]
) -> None:
    """Write the page of a study with its tables and the plots of its conditions."""
    values = {
        "title": f"reml study: {name}",
        "heading": name,
        "tables": tables,
        "styles": STYLES,
        "plots": {task: _plots(matrix, conditions, task) for task in matrix.measures},
    }
    write_whole_page(path, "reml.study/page.html", values)


def _plots(matrix: Matrix, conditions: Sequence[Condition], task: str) -> list[Plot]:
    beside = {one: [one, *controls(conditions, one)] for one in conditions if one.learns}
    return [
        *(_recall(matrix, one, lines, task) for one, lines in beside.items()),
        *(_loss(matrix, one, lines, task) for one, lines in beside.items()),
    ]


def _recall(matrix: Matrix, one: Condition, lines: Sequence[Condition], task: str) -> Plot:
    drawn = []
    for condition in lines:
        means = [average(matrix, task, condition.access, RECALL.format(depth)).mean for depth in DEPTHS]
        if any(map(math.isnan, means)):  # no example of the task is scored
            continue
        drawn.append(Line(condition.title, tuple(map(float, DEPTHS)), tuple(means), _style(condition)))
    return Plot(f"{one.learner}, {one.objective}: answer recall", "passages", tuple(drawn), ceiling=1.0)


def _loss(matrix: Matrix, one: Condition, lines: Sequence[Condition], task: str) -> Plot:
    drawn = []
    for condition in lines:
        curves = [cell.losses for cell in matrix.of(task, condition.access) if cell.losses]
        if curves:
            steps = tuple(float(step) for step, _ in curves[0])
            means = np.mean([[value for _, value in curve] for curve in curves], axis=0)
            drawn.append(Line(condition.title, steps, tuple(means.tolist()), _style(condition)))
    return Plot(f"{one.learner}, {one.objective}: training loss", "step", tuple(drawn))


def _style(condition: Condition) -> int:
    if condition.control:
        return STYLES.index(condition.control)
    return STYLES.index(FROZEN) if condition.objective == FROZEN else 0
