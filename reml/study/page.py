"""`report.html` of a study: one page that needs nothing else, with tables, recall against k and the training losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.table import Table
from reml.study.cells import DEPTHS, RECALL, Cell
from reml.study.comparison import average, controls, of_condition
from reml.study.plan import FROZEN, Condition

STYLES = ("objective", "frozen", "untrained", "shuffled")


def write_page(path: Path, name: str, tables: Sequence[Table], cells: Sequence[Cell]) -> None:
    """Write the page of a study with its tables and the plots of its cells."""
    values = {
        "title": f"reml study: {name}",
        "heading": name,
        "tables": tables,
        "styles": STYLES,
        "plots": {task: _plots(cells, task) for task in dict.fromkeys(cell.task for cell in cells)},
    }
    write_whole_page(path, "reml.study/page.html", values)


def _plots(cells: Sequence[Cell], task: str) -> list[Plot]:
    conditions = list(dict.fromkeys(cell.condition for cell in cells if cell.task == task))
    learning = [one for one in conditions if one.objective != FROZEN and not one.control]
    beside = {one: [one, *controls(conditions, one)] for one in learning}
    return [
        *(_recall(cells, one, beside[one], task) for one in learning),
        *(_loss(cells, one, beside[one], task) for one in learning),
    ]


def _recall(cells: Sequence[Cell], one: Condition, lines: Sequence[Condition], task: str) -> Plot:
    drawn = []
    for condition in lines:
        own = of_condition(cells, condition, task)
        means = [average([cell.mean(RECALL.format(depth)) for cell in own]).mean for depth in DEPTHS]
        drawn.append(Line(condition.title, tuple(map(float, DEPTHS)), tuple(means), _style(condition)))
    return Plot(f"{one.learner}, {one.objective}: answer recall", "passages", tuple(drawn), ceiling=1.0)


def _loss(cells: Sequence[Cell], one: Condition, lines: Sequence[Condition], task: str) -> Plot:
    drawn = []
    for condition in lines:
        curves = [cell.losses for cell in of_condition(cells, condition, task) if cell.losses]
        if curves:
            steps = tuple(float(step) for step, _ in curves[0])
            means = np.mean([[value for _, value in curve] for curve in curves], axis=0)
            drawn.append(Line(condition.title, steps, tuple(means.tolist()), _style(condition)))
    return Plot(f"{one.learner}, {one.objective}: training loss", "step", tuple(drawn))


def _style(condition: Condition) -> int:
    if condition.control:
        return STYLES.index(condition.control)
    return STYLES.index(FROZEN) if condition.objective == FROZEN else 0
