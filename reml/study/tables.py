"""The tables of a study: what is shown, rounded, and what is written as CSV with all digits."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reml.comparison.averages import Average, average
from reml.comparison.comparisons import Comparison
from reml.comparison.conditions import Condition
from reml.comparison.matrix import Cell, Matrix
from reml.experiment.costs import NOTHING
from reml.reporting.table import Table

MEGABYTE = 1 << 20
WORDS = frozenset({"task", "learner", "objective", "control", "gain over", "over", "measure"})


def averages(matrix: Matrix, conditions: Sequence[Condition], task: str, measures: Sequence[str]) -> Table:
    """Show the mean and 95 % interval over seeds of every condition, and what its training cost."""
    rows = []
    for condition in conditions:
        shown = [_shown(average(matrix, task, condition.access, measure)) for measure in measures]
        rows.append([condition.learner, condition.title, *shown, *_cost(matrix.of(task, condition.access))])
    title = f"{task}: mean and 95 % interval over seeds"
    return Table(("learner", "objective", *measures, "s", "MB"), WORDS, rows, title)


def gained(found: Sequence[Comparison], conditions: Mapping[str, Condition], task: str) -> Table:
    """Show gains with their intervals over examples and corrected p-values. conditions: by access model."""
    columns = ("learner", "objective", "gain over", "measure", "gain", "95 %", "p", "p (Holm)")
    return Table(columns, WORDS, _tested(found, conditions), f"{task}: gains over the controls")


def rivalled(found: Sequence[Comparison], conditions: Mapping[str, Condition], task: str) -> Table:
    """Show what objectives gain over one another, in the same way. conditions: by access model."""
    columns = ("learner", "objective", "over", "measure", "difference", "95 %", "p", "p (Holm)")
    return Table(columns, WORDS, _tested(found, conditions), f"{task}: objectives beside one another")


def _tested(found: Sequence[Comparison], conditions: Mapping[str, Condition]) -> list[list[str]]:
    return [
        [
            conditions[one.first].learner,
            conditions[one.first].title,
            _over(conditions[one.second]),
            one.kind,
            f"{one.difference:+.3f}",
            f"[{one.interval.low:+.3f}, {one.interval.high:+.3f}]",
            f"{one.p:.4f}",
            f"{one.corrected:.4f}",
        ]
        for one in found
    ]


def all_cells(matrix: Matrix, conditions: Mapping[str, Condition]) -> Table:
    """Give every cell's mean of every measure, a line each, unrounded. conditions: by access model."""
    head = ("task", "learner", "objective", "control", "seed", "measure", "value", "seconds", "peak_memory_bytes")
    rows = []
    for cell in matrix.cells:
        one, spent = conditions[cell.access], ["", ""]
        if cell.costs != NOTHING:
            spent = [repr(cell.costs.train), str(cell.costs.peak_memory_bytes)]
        start = [cell.task, one.learner, one.objective, one.control, str(cell.seed)]
        rows += [[*start, name, repr(cell.mean(name)) if len(cell) else "", *spent] for name in cell.scores]
    return Table(head, WORDS, rows)


def all_gains(found: Sequence[Comparison], conditions: Mapping[str, Condition]) -> Table:
    """Give every gain, a line each, unrounded. conditions: by access model."""
    head = ("task", "measure", "learner", "objective", "over", "gain", "low", "high", "p", "p_holm")
    rows = []
    for one in found:
        condition = conditions[one.first]
        start = [one.task, one.kind, condition.learner, condition.objective, _over(conditions[one.second])]
        rows.append([*start, *map(repr, (one.difference, one.interval.low, one.interval.high, one.p, one.corrected))])
    return Table(head, WORDS, rows)


def _over(control: Condition) -> str:
    return control.control or control.title


def _shown(value: Average) -> str:
    if math.isnan(value.mean):
        return "-"
    return f"{value.mean:.3f}" + (f" ±{value.half:.3f}" if value.half is not None else "")


def _cost(cells: Sequence[Cell]) -> tuple[str, str]:
    spent = [cell.costs for cell in cells if cell.costs != NOTHING]
    if not spent:
        return "-", "-"
    seconds = sum(costs.train for costs in spent) / len(spent)
    return f"{seconds:.1f}", f"{max(costs.peak_memory_bytes for costs in spent) / MEGABYTE:.0f}"
