"""The tables of a study: as text for the terminal and the page, and as CSV with all digits."""

from __future__ import annotations

from collections.abc import Sequence

from reml.reporting.table import Table
from reml.study.cells import Cell
from reml.study.comparison import Average, Gain, average, of_condition
from reml.study.plan import Condition

MEGABYTE = 1 << 20


WORDS = frozenset({"learner", "objective", "gain over", "measure"})


def averages(cells: Sequence[Cell], conditions: Sequence[Condition], task: str, measures: Sequence[str]) -> Table:
    """Show the mean and 95 % interval over seeds of every condition, and what its training cost."""
    rows = []
    for condition in conditions:
        own = of_condition(cells, condition, task)
        shown = [_shown(average([cell.mean(measure) for cell in own])) for measure in measures]
        rows.append((condition.learner, condition.title, *shown, *_cost(own)))
    columns = ("learner", "objective", *measures, "s", "MB")
    return Table(columns, WORDS, tuple(rows), f"{task}: mean and 95 % interval over seeds")


def gained(found: Sequence[Gain]) -> Table:
    """Show gains with their intervals over examples and corrected p-values."""
    rows = [
        (
            one.condition.learner,
            one.condition.title,
            one.over.control or one.over.title,
            one.measure,
            f"{one.difference:+.3f}",
            f"[{one.interval.low:+.3f}, {one.interval.high:+.3f}]",
            f"{one.p:.4f}",
            f"{one.corrected:.4f}",
        )
        for one in found
    ]
    columns = ("learner", "objective", "gain over", "measure", "gain", "95 %", "p", "p (Holm)")
    title = f"{found[0].task}: gains over the controls" if found else "gains"
    return Table(columns, WORDS, tuple(rows), title)


def cells_csv(cells: Sequence[Cell]) -> str:
    """Write every cell's mean of every measure, a line each."""
    head = ("task", "learner", "objective", "control", "seed", "measure", "value", "seconds", "peak_memory_bytes")
    lines: list[Sequence[object]] = []
    for cell in cells:
        one, cost = cell.condition, cell.cost
        spent = ("", "") if cost is None else (cost.seconds, cost.peak_memory_bytes)
        start = (cell.task, one.learner, one.objective, one.control, cell.seed)
        lines += [(*start, name, cell.mean(name), *spent) for name in cell.scores]
    return _csv(head, lines)


def gains_csv(found: Sequence[Gain]) -> str:
    """Write every gain, a line each."""
    head = ("task", "measure", "learner", "objective", "over", "gain", "low", "high", "p", "p_holm")
    lines: list[Sequence[object]] = []
    for one in found:
        start = (
            one.task,
            one.measure,
            one.condition.learner,
            one.condition.objective,
            one.over.control or one.over.title,
        )
        lines.append((*start, one.difference, one.interval.low, one.interval.high, one.p, one.corrected))
    return _csv(head, lines)


def _shown(value: Average) -> str:
    if value.interval is None:
        return f"{value.mean:.3f}"
    return f"{value.mean:.3f} ±{value.interval.high - value.mean:.3f}"


def _cost(cells: Sequence[Cell]) -> tuple[str, str]:
    spent = [cell.cost for cell in cells if cell.cost is not None]
    if not spent:
        return "-", "-"
    seconds = sum(stage.seconds for stage in spent) / len(spent)
    return f"{seconds:.1f}", f"{max(stage.peak_memory_bytes for stage in spent) / MEGABYTE:.0f}"


def _csv(columns: tuple[str, ...], lines: Sequence[Sequence[object]]) -> str:
    return Table(columns, WORDS, [[str(value) for value in line] for line in lines]).comma_separated()
