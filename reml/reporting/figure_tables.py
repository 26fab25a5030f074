"""Tables of figures by task: a row for each system, or access model, with intervals and what it is better than.

One layout for the terminal, where each task is a table of its own, and for a report, where each is a part of one.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from reml.evaluation.kilt import KILT, MEASURES
from reml.reporting.figures import (
    PREDICTION,
    PROVENANCE,
    RETRIEVER,
    SHOWN_OF_RETRIEVERS,
    Figure,
    Figures,
    Retrieved,
)
from reml.reporting.table import Table

_ANSWERS = "answer_recall@5"
RETRIEVED, PREDICTED = "Retrieved", "Predicted"
# Lines of at most 80 characters, as those of narrow terminals.
_APART = (
    "R-precision and recall: of what was retrieved",
    "provenance: R-precision of the pages that the predictor names",
)
_MARKED = "better than these systems, p < 0.05 (paired randomisation test, Holm)"
_MANY = 1_000  # examples from which on a third digit says something


@dataclass(frozen=True, slots=True)
class Column:
    """A column. of, figure: what it shows, as tests name it; head: what stands above it, with others of its kind."""

    head: str
    name: str
    of: str
    figure: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, or nothing where nothing was measured. marks: the letters of those that it is better than."""

    figure: Figure | None = None
    marks: str = ""
    best: bool = False
    per_cent: bool = True

    @property
    def text(self) -> str:
        """The mean, in per cent where it is a share; empty where nothing was measured."""
        return "" if self.figure is None else self._shown(self.figure.mean)

    @property
    def interval(self) -> str:
        """The interval, as the mean is shown; empty where there is none."""
        if self.figure is None or self.figure.low is None or self.figure.high is None:
            return ""
        return f"[{self._shown(self.figure.low)}, {self._shown(self.figure.high)}]"

    def brief(self, digits: int) -> str:
        """Show the mean and half the width of its interval, with so many digits; without the 0 of a share."""
        if self.figure is None:
            return ""
        low, high = self.figure.low, self.figure.high
        half = "" if low is None or high is None else f" ±{self._decimal((high - low) / 2, digits)}"
        return self._decimal(self.figure.mean, digits) + half

    def _shown(self, value: float) -> str:
        return f"{100 * value:.1f}" if self.per_cent else f"{value:.3f}"

    def _decimal(self, value: float, digits: int) -> str:
        shown = f"{value:.{digits if self.per_cent else 3}f}"
        return shown.removeprefix("0") if self.per_cent else shown


@dataclass(frozen=True, slots=True)
class Row:
    """A system, or access model, and its cells, one a column; `letter` stands for it in marks."""

    name: str
    letter: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of a task. measure: what it is ranked by, empty where nothing is predicted. n: examples, in words."""

    task: str
    measure: str
    n: str
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What stands above the rows."""
        return ", ".join(
            part for part in (f"{self.task}: {self.measure}" if self.measure else self.task, self.n) if part
        )


@dataclass(frozen=True, slots=True)
class FigureTable:
    """Columns, and groups of rows. marked: whether any figure is significantly better than another."""

    columns: tuple[Column, ...]
    groups: tuple[Group, ...]
    marked: bool

    @property
    def heads(self) -> list[tuple[str, int]]:
        """What stands above the columns, and over how many."""
        names = [column.head for column in self.columns]
        return [(name, names.count(name)) for name in dict.fromkeys(names)]

    def brief(self, group: Group) -> str:
        """Say which row of a task is best by its score, or by the first column, or how many tie.

        Empty where nothing was measured.
        """
        place = next((place for place, column in enumerate(self.columns) if column.figure == "score"), 0)
        measured = [(row.cells[place].figure, row) for row in group.rows if row.cells]
        means = [one.mean for one, _ in measured if one]
        if not means:
            return ""
        name = _terminal_name(self.columns[place], group.measure)
        best = [row for one, row in measured if one and one.mean == max(means)]
        tied = "all" if len(best) == len(means) else len(best)
        return f"best {name}: {best[0].name if len(best) == 1 else f'{tied} tie at'} {best[0].cells[place].text}"

    def terminal(self) -> list[Table]:
        """Give a table for each task, without columns in which it has nothing."""
        digits = 2 if all((figure.n or 0) < _MANY for figure in self._figures()) else 3
        return [_terminal(self, group, digits) for group in self.groups]

    def caption(self) -> list[str]:
        """Say what the terminal's tables show, a line each."""
        if not any(figure.low is not None for figure in self._figures()):
            return []
        apart = _APART if len(self.heads) > 1 else ()
        return [*apart, "±: half of the 95 % interval", *([f"letters: {_MARKED}"] if self.marked else [])]

    def _figures(self) -> Iterator[Figure]:
        for group in self.groups:
            for row in group.rows:
                yield from (cell.figure for cell in row.cells if cell.figure is not None)


def main_table(figures: Figures, measures: Mapping[str, str]) -> FigureTable:
    """Give the table that an experiment ends with: what systems retrieve and predict, or retrieval alone."""
    if not figures.predicts:
        return retrieval_table(figures)
    graded = any(one.graded for found in figures.retrieved.values() for one in found.values())
    names = ("Rprec", "recall@5", *(("RR@10", "nDCG@10") if graded else ()))
    columns = [
        *(Column(RETRIEVED, SHOWN_OF_RETRIEVERS[name], RETRIEVER, name) for name in names),
        Column(PREDICTED, "score", PREDICTION, "score"),
        Column(PREDICTED, "KILT score", PREDICTION, "KILT score"),
        Column(PREDICTED, PROVENANCE, PREDICTION, "Rprec"),
    ]
    parts = [_Part(task, measures[task], _of_systems(figures, task, measures[task])) for task in figures.tasks]
    return _table(figures, columns, parts)


def retrieval_table(figures: Figures) -> FigureTable:
    """Give all figures of access models."""
    columns = [Column(RETRIEVED, title, RETRIEVER, name) for name, title in SHOWN_OF_RETRIEVERS.items()]
    parts = [
        _Part(task, "", {access: _of_access(access, one, by_access.values()) for access, one in by_access.items()})
        for task, by_access in figures.retrieved.items()
    ]
    return _table(figures, columns, parts)


@dataclass(frozen=True, slots=True)
class _Line:
    """Figures of a row, by what they are of and their names. access: whose ranking those of retrieval are of."""

    access: str
    figures: Mapping[tuple[str, str], Figure]


@dataclass(frozen=True, slots=True)
class _Part:
    """The lines of a task, by the names of the rows."""

    task: str
    measure: str
    lines: Mapping[str, _Line]

    def named(self, of: str, name: str) -> str:
        """Give the name that tests know a row by."""
        return name if of == PREDICTION else self.lines[name].access

    @property
    def count(self) -> str:
        """How many examples figures are means of: those of predictions, and those with evidence if they are others."""
        counts = {key: figure.n for line in self.lines.values() for key, figure in line.figures.items()}
        retrieved = counts.get((RETRIEVER, "Rprec"))
        given = counts.get(
            (PREDICTION, "score"), retrieved if retrieved is not None else next(iter(counts.values()), 0)
        )
        if given is None:  # a folder of a former version does not say
            return ""
        apart = retrieved is not None and retrieved != given
        return f"n = {given:,}" + (f", {retrieved:,} with evidence" if apart else "")


def _of_systems(figures: Figures, task: str, measure: str) -> dict[str, _Line]:
    kinds = {measure: "score", f"{KILT}{measure}": "KILT score"}
    lines = {}
    for system, by_task in figures.predicted.items():
        if task in by_task:
            access, retrieved = figures.own[system][task]
            of_retrieval = {(RETRIEVER, name): one for name, one in retrieved.items()}
            of_answers = {(PREDICTION, kinds.get(name, name)): one for name, one in by_task[task].items()}
            lines[system] = _Line(access, {**of_retrieval, **of_answers})
    return lines


def _of_access(access: str, one: Retrieved, beside: Iterable[Retrieved]) -> _Line:
    """Give the figures to show of an access model: of answers in passages only where any is, for some are no words."""
    any_answer = any(figure.mean for each in beside for name, figure in each.figures.items() if name == _ANSWERS)
    kept = {name: figure for name, figure in one.figures.items() if name != _ANSWERS or any_answer}
    return _Line(access, {(RETRIEVER, name): figure for name, figure in kept.items()})


def _table(figures: Figures, columns: Sequence[Column], parts: Sequence[_Part]) -> FigureTable:
    there = {key for part in parts for line in part.lines.values() for key in line.figures}
    shown = tuple(column for column in columns if (column.of, column.figure) in there)
    letters = _letters(dict.fromkeys(name for part in parts for name in part.lines))
    groups = []
    for part in parts:
        by_column = [_column(figures, part, column, letters) for column in shown]
        rows = [
            Row(name, letters[name], tuple(cells[place] for cells in by_column))
            for place, name in enumerate(part.lines)
        ]
        groups.append(Group(part.task, part.measure, part.count, tuple(rows)))
    marked = any(cell.marks for group in groups for row in group.rows for cell in row.cells)
    return FigureTable(shown, tuple(groups), marked)


def _column(figures: Figures, part: _Part, column: Column, letters: Mapping[str, str]) -> list[Cell]:
    """Give the cells of a task in a column, one a row."""
    found = [line.figures.get((column.of, column.figure)) for line in part.lines.values()]
    best, of_answers = _best(found), column.figure in {"score", "KILT score"}
    per_cent = not of_answers or part.measure in MEASURES
    cells = []
    for name, figure in zip(part.lines, found, strict=True):
        worse = figures.better_than(column.of, column.figure, part.task, part.named(column.of, name))
        marks = "".join(letters[one] for one in part.lines if figure and part.named(column.of, one) in worse)
        cells.append(Cell(figure, marks, best=figure is not None and figure.mean == best, per_cent=per_cent))
    return cells


def _best(found: Sequence[Figure | None]) -> float | None:
    """Give the largest mean, if some are smaller."""
    means = {one.mean for one in found if one is not None}
    return max(means) if len(means) > 1 else None


def _letters(names: Mapping[str, None]) -> dict[str, str]:
    """Name systems by letters, in their order; those after z by numbers in brackets."""
    known = [*string.ascii_lowercase, *(f"({number})" for number in range(27, len(names) + 1))]
    return dict(zip(names, known, strict=False))


def _terminal(whole: FigureTable, group: Group, digits: int) -> Table:
    kept = [place for place, _ in enumerate(whole.columns) if any(row.cells[place].figure for row in group.rows)]
    kept = kept or list(range(len(whole.columns)))
    names = [_terminal_name(whole.columns[place], group.measure) for place in kept]
    rows = [
        [
            f"{row.letter} {row.name}" if whole.marked else row.name,
            *(_marked(row.cells[place], digits) for place in kept),
        ]
        for row in group.rows
    ]
    return Table(("access", *names), frozenset({"access"}), rows, group.title)


def _terminal_name(column: Column, measure: str) -> str:
    return (
        {"score": measure, "KILT score": f"{KILT}{measure}"}.get(column.figure, column.name) if measure else column.name
    )


def _marked(cell: Cell, digits: int) -> str:
    return " ".join(part for part in (cell.brief(digits), cell.marks) if part)
