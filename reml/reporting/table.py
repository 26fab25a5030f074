"""A table of texts with three renderings: the terminal's, a page's and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

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

    def terminal(self) -> table.Table:
        """Give it as the terminal shows it: cells are texts, never markup, whatever brackets they hold."""
        title = Text(plain(self.title), style="table.title") if self.title else None
        room = cell_len(plain(self.title))  # or a title longer than its rows would be folded
        shown = table.Table(box=box.SIMPLE, padding=(0, 1, 0, 0), title=title, title_justify="left", min_width=room)
        for column in self.columns:
            shown.add_column(Text(plain(column)), justify="left" if column in self.words else "right")
        for number, row in enumerate(self.rows):
            shown.add_row(*(Text(plain(cell)) for cell in row), end_section=self._ends(number))
        return shown

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
        places = [self.columns.index(column) for column in columns]
        rows = [[row[place] for place in places] for row in self.rows]
        return Table(tuple(columns), self.words, rows, self.title)

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
