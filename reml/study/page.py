"""`report.html` of a study: one page that needs nothing else, with tables, recall against k and the training losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree as Tree

import numpy as np

from reml.comparison.averages import average
from reml.comparison.conditions import FROZEN, Condition, controls
from reml.comparison.matrix import Matrix
from reml.reporting.markup import element
from reml.reporting.page import write_whole_page
from reml.reporting.plots import Line, Plot, figure, legend
from reml.reporting.table import Grid
from reml.study.cells import DEPTHS, RECALL

READING = (
    "Intervals beside means are Student's over seeds. A gain is over the same examples, averaged over seeds: its "
    "interval is a bootstrap over examples, its p-value that of the paired randomisation test, corrected by Holm over "
    "all gains over the same control by the same measure. Seconds and megabytes are of one training of the retriever; "
    "what the predictor says of the lists is heard once for all."
)
STYLES = ("objective", "frozen", "untrained", "shuffled")


def write_page(
    path: Path, name: str, grids: Mapping[str, Grid], *, matrix: Matrix, conditions: Sequence[Condition]
) -> None:
    """Write the page of a study with its tables, by their titles, and the plots of its conditions."""
    sections = [
        element("section", None, element("h2", None, title), grid.table(title)) for title, grid in grids.items()
    ]
    sections.append(element("section", None, element("p", None, READING)))
    sections += [_plots(matrix, conditions, task) for task in matrix.measures]
    write_whole_page(path, name, sections, title=f"reml study: {name}")


def _plots(matrix: Matrix, conditions: Sequence[Condition], task: str) -> Tree.Element:
    beside = {one: [one, *controls(conditions, one)] for one in conditions if one.learns}
    plots = [
        *(_recall(matrix, one, lines, task) for one, lines in beside.items()),
        *(_loss(matrix, one, lines, task) for one, lines in beside.items()),
    ]
    grid = element("div", {"class": "plots"}, *map(figure, plots))
    return element("section", None, element("h2", None, f"{task}: recall and training"), legend(STYLES), grid)


def _recall(matrix: Matrix, one: Condition, lines: Sequence[Condition], task: str) -> Plot:
    drawn = []
    for condition in lines:
        means = [average(matrix, task, condition.access, RECALL.format(depth)).mean for depth in DEPTHS]
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
