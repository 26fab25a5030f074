"""The tables of a matrix: figures, costs, tests, and what was published.

Figures are in per cent, but for those of a metric of a task's own, which stand as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reml.benchmarks.kilt.published import Published
from reml.comparison.averages import Average, averages
from reml.comparison.comparisons import Comparison
from reml.comparison.matrix import KINDS, RANKED_BY, Cell, Matrix
from reml.evaluation.significance import Interval
from reml.reporting.table import Table

WORDS = frozenset(
    {"task", "access", "measure", "figure", "first", "second", "system", "split", "data", "source", "not comparable"}
)
LEVEL = 0.05


def figures(matrix: Matrix) -> Table:
    """Show each system's means over seeds with half their 95 % intervals."""
    rows = []
    for task in matrix.measures:
        for access in matrix.accesses:
            examples, shown = len(matrix.of(task, access)[0]), _averages(matrix, task, access)
            rows.append([task, access, str(examples), matrix.measures[task], *(shown[kind] for kind in KINDS)])
    return Table(("task", "access", "n", "measure", *KINDS), WORDS, rows)


def costs(matrix: Matrix) -> Table:
    """Show each system's costs, means over seeds; a peak is the largest."""
    columns = ("train s", "index s", "retrieve s", "predict s", "peak MiB", "index MiB", "words read")
    places = [(task, access) for task in matrix.measures for access in matrix.accesses]
    rows = [[task, access, *_cost(matrix.of(task, access))] for task, access in places]
    return Table(("task", "access", *columns), WORDS, rows)


def paired(matrix: Matrix, found: Sequence[Comparison]) -> Table:
    """Show the differences of every two systems; a star marks those that Holm's correction leaves below 0.05."""
    columns = ("figure", "task", "first", "second", "difference", "from", "to", "p", "p corrected")
    rows = [
        [one.kind, one.task, one.first, one.second]
        + [_signed(value, matrix.scale(one.kind, one.task)) for value in (one.difference, *_ends(one.interval))]
        + [f"{one.p:.4f}", f"{one.corrected:.4f}{'*' if one.corrected < LEVEL else ''}"]
        for one in found
    ]
    return Table(columns, WORDS, rows)


def beside(matrix: Matrix, published: Sequence[Published], differing: Mapping[str, Sequence[str]]) -> Table:
    """Show published results of the tasks beside ours, of answers only where there are any.

    differing: why ours cannot be compared, by task.
    """
    rows: list[list[str]] = []
    for task in matrix.measures:
        known = [one for one in published if task in one.values]
        answers = {"downstream", "KILT score"} if matrix.measures[task] == RANKED_BY else set()
        for figure in dict.fromkeys(one.figure for one in known if one.figure not in answers):
            rows += [_ours(matrix, task, access, figure=figure, why=differing[task]) for access in matrix.accesses]
            rows += [_theirs(one, task) for one in known if one.figure == figure]
    return Table(("task", "figure", "system", "value", "split", "not comparable", "data", "source"), WORDS, rows)


def cells(matrix: Matrix) -> Table:
    """Give every cell's own figures, unrounded."""
    columns = ("task", "access", "seed", "n", "measure", *KINDS)
    rows = [
        [cell.task, cell.access, str(cell.seed), str(len(cell)), matrix.measures[cell.task]]
        + [_own(cell, matrix.name(kind, cell.task)) for kind in KINDS]
        for cell in matrix.cells
    ]
    return Table(columns, WORDS, rows)


def _own(cell: Cell, name: str) -> str:
    return repr(cell.mean(name)) if name in cell.scores and len(cell) else ""


def _averages(matrix: Matrix, task: str, access: str) -> dict[str, str]:
    found = averages(matrix, task, access)
    return {kind: _average(found[kind], matrix.scale(kind, task)) if kind in found else "–" for kind in KINDS}


def _average(average: Average, scale: int) -> str:
    halves = [average.half] if average.half is not None else []
    return " ± ".join(_plain(value, scale) for value in (average.mean, *halves))


def _plain(value: float, scale: int) -> str:
    return f"{scale * value:.1f}" if scale > 1 else f"{value:.3f}"


def _signed(value: float, scale: int) -> str:
    return f"{scale * value:+.1f}" if scale > 1 else f"{value:+.3f}"


def _ends(interval: Interval) -> tuple[float, float]:
    return interval.low, interval.high


def _cost(found: Sequence[Cell]) -> list[str]:
    costs = [cell.costs for cell in found]
    seconds = zip(*((cost.train, cost.index, cost.retrieve, cost.predict) for cost in costs), strict=True)
    words = [cost.words for cost in costs if cost.words is not None]
    return [
        *(f"{sum(values) / len(values):.1f}" for values in seconds),
        f"{max(cost.peak_memory_bytes for cost in costs) / 2**20:.0f}",
        f"{max(cost.index_bytes for cost in costs) / 2**20:.2f}",
        f"{sum(words) / len(words):.0f}" if words else "–",
    ]


def _ours(matrix: Matrix, task: str, access: str, *, figure: str, why: Sequence[str]) -> list[str]:
    value = _averages(matrix, task, access).get(figure, "–")
    return [task, figure, f"ours: {access}", value, "", "; ".join(why), "", "this run"]


def _theirs(one: Published, task: str) -> list[str]:
    why = "" if one.kilt else "not KILT's data"
    return [task, one.figure, one.system, f"{one.values[task]:.1f}", one.split, why, one.data, one.source]
