"""A table of texts with three renderings: the terminal's, a page's and CSV."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rich import box, table
from rich.cells import cell_len
from rich.text import Text

from reml.devices.plain import plain
from reml.reporting.page import render

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Table:
    """Names of columns and rows of cells; columns in `words` are set to the left, the others hold numbers.

    title: shown above it in the terminal. apart: a column by whose values the terminal sets groups of rows apart.
    """

    columns: tuple[str, ...]
    words: frozenset[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    apart: str = ""

    def terminal(self, width: int | None = None) -> table.Table:
        """Give it as the terminal shows it: cells are texts, never markup, whatever brackets they hold.

        width: of the terminal, where lines that are longer are to be folded.
        """
        title = Text(plain(self.title), style="table.title") if self.title else None
        room = cell_len(plain(self.title))  # or a title longer than its rows would be folded
        room = room if width is None else min(room, width)
        shown = table.Table(
            box=box.SIMPLE,
            padding=(0, 1, 0, 0),
            title=title,
            title_justify="left",
            min_width=room,
            show_header=any(self.columns),
        )
        for column in self.columns:
            side: Literal["left", "right"] = "left" if column in self.words else "right"
            shown.add_column(Text(plain(column)), justify=side, overflow="fold")
        for number, row in enumerate(self.rows):
            shown.add_row(*(Text(plain(cell)) for cell in row), end_section=self._ends(number))
        return shown

    def fitting(self, width: int) -> list[Table]:
        """Give tables that are no wider and together say the same: one for each group of rows, and for some columns.

        Where a column is too wide even so, one of names and values, with the rows one below the other.
        """
        if self._width(range(len(self.columns))) <= width:
            return [self]
        if self.apart:
            groups = [replace(table, title=f"{name}: {self.title}") for name, table in self._groups()]
            return [part for group in groups for part in group.fitting(width)]
        parts = [self._at(places) for places in self._within(width)]
        return [parts[0], *(replace(part, title="") for part in parts[1:])] if parts else [self._upright()]

    def _within(self, width: int) -> list[list[int]]:
        """Split the places of the columns, each part with those that name a row; empty where it cannot be done."""
        names = [*itertools.takewhile(lambda place: self.columns[place] in self.words, range(len(self.columns)))]
        if len(names) == len(self.columns):
            return []
        keys = names if names and self._width(names) <= width / 2 else [0]
        parts = [keys]
        for place in range(len(keys), len(self.columns)):
            if self._width([*keys, place]) > width:
                return []
            fits = self._width([*parts[-1], place]) <= width
            parts = [*parts[:-1], [*parts[-1], place]] if fits else [*parts, [*keys, place]]
        return parts

    def _upright(self) -> Table:
        """Give one of two columns without heads: a line for each cell that is not empty, and one between rows."""
        every = [[*filter(all, zip(self.columns, row, strict=True)), ("", "")] for row in self.rows]
        return Table(("", ""), frozenset({""}), [*itertools.chain.from_iterable(every)][:-1], self.title)

    def _width(self, places: Iterable[int]) -> int:
        """Give how wide these columns are in the terminal: an edge, and two spaces after each."""
        widest = (max(cell_len(plain(row[place])) for row in [self.columns, *self.rows]) for place in places)
        return 1 + sum(each + 2 for each in widest)

    def html(self, name: str) -> Markup:
        """Give it as HTML under a name that is read aloud: one table, or one that folds for each group of rows.

        Wide ones can be scrolled; on narrow screens each row is a paragraph in which cells say what they are.
        """
        return render("reml.reporting/templates/table.html", {"tables": self._groups(), "name": name})

    def comma_separated(self) -> str:
        """Give it as CSV."""
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([self.columns, *self.rows])
        return stream.getvalue()

    def only(self, columns: Sequence[str]) -> Table:
        """Give some of its columns."""
        return self._at([self.columns.index(column) for column in columns])

    def _at(self, places: Sequence[int]) -> Table:
        columns = tuple(self.columns[place] for place in places)
        return Table(columns, self.words, [[row[place] for place in places] for row in self.rows], self.title)

    def _groups(self) -> list[tuple[str, Table]]:
        """Give the rows of each group, without the column that tells groups apart, by its value."""
        if not self.apart:
            return [("", self)]
        place, others = self.columns.index(self.apart), [name for name in self.columns if name != self.apart]
        names = dict.fromkeys(row[place] for row in self.rows)
        of = {name: replace(self, rows=[row for row in self.rows if row[place] == name]) for name in names}
        return [(name, table.only(others)) for name, table in of.items()]

    def _ends(self, number: int) -> bool:
        """Tell whether a group of rows ends with this one."""
        if not self.apart:
            return False
        place, after = self.columns.index(self.apart), self.rows[number + 1 : number + 2]
        return any(row[place] != self.rows[number][place] for row in after)
