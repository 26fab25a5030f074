"""`report.html` of a study: one page that needs nothing else, with tables, recall against k and the training losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np

from reml.reporting.markup import element
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot, figure, legend
from reml.study.cells import DEPTHS, RECALL, Cell
from reml.study.comparison import average, controls, of_condition
from reml.study.plan import FROZEN, Condition
from reml.study.tables import Grid

READING = (
    "Intervals beside means are Student's over seeds. A gain is over the same examples, averaged over seeds: its "
    "interval is a bootstrap over examples, its p-value that of the paired randomisation test, corrected by Holm over "
    "all gains over the same control by the same measure. Seconds and megabytes are of one training of the retriever; "
    "what the predictor says of the lists is heard once for all."
)
STYLES = ("objective", "frozen", "untrained", "shuffled")


def write_page(path: Path, name: str, grids: Sequence[Grid], cells: Sequence[Cell]) -> None:
    """Write the page of a study with its tables and the plots of its cells."""
    sections = [_table(grid) for grid in grids]
    sections.append(element("section", None, element("p", None, READING)))
    sections += [_plots(cells, task) for task in dict.fromkeys(cell.task for cell in cells)]
    write_whole_page(path, name, sections, title=f"reml study: {name}")


def _table(grid: Grid) -> Tree.Element:
    kinds = [{} if number < grid.texts else {"class": "number"} for number in range(len(grid.columns))]
    names = (element("th", {**kind, "scope": "col"}, name) for kind, name in zip(kinds, grid.columns, strict=True))
    rows = (
        element("tr", None, *(element("td", kind, text) for kind, text in zip(kinds, row, strict=True)))
        for row in grid.rows
    )
    table = element("table", None, element("thead", None, element("tr", None, *names)), element("tbody", None, *rows))
    scroll = element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": grid.title}, table)
    return element("section", None, element("h2", None, grid.title), scroll)


def _plots(cells: Sequence[Cell], task: str) -> Tree.Element:
    conditions = list(dict.fromkeys(cell.condition for cell in cells if cell.task == task))
    learning = [one for one in conditions if one.objective != FROZEN and not one.control]
    beside = {one: [one, *controls(conditions, one)] for one in learning}
    plots = [
        *(_recall(cells, one, beside[one], task) for one in learning),
        *(_loss(cells, one, beside[one], task) for one in learning),
    ]
    grid = element("div", {"class": "plots"}, *map(figure, plots))
    return element("section", None, element("h2", None, f"{task}: recall and training"), legend(STYLES), grid)


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
