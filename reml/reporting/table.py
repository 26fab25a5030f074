"""A table that is shown in the terminal, on a page and in a CSV file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as Tree

from rich.box import SIMPLE
from rich.table import Table

from reml.reporting.markup import element


@dataclass(frozen=True, slots=True)
class Grid:
    """Names of columns and rows of cells; columns in `words` are set to the left, the others hold numbers."""

    columns: tuple[str, ...]
    words: frozenset[str]
    rows: Sequence[Sequence[str]]

    def terminal(self) -> Table:
        """Give it as the terminal shows it."""
        table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
        for column in self.columns:
            table.add_column(column, justify="left" if column in self.words else "right")
        for row in self.rows:
            table.add_row(*row)
        return table

    def only(self, columns: Sequence[str]) -> Grid:
        """Give some of its columns."""
        places = [self.columns.index(column) for column in columns]
        return Grid(tuple(columns), self.words, [[row[place] for place in places] for row in self.rows])

    def comma_separated(self) -> str:
        """Give it as CSV."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return stream.getvalue()

    def table(self, name: str) -> Tree.Element:
        """Give it as HTML, wide ones to be scrolled."""
        kinds = [{} if column in self.words else {"class": "number"} for column in self.columns]
        heads = [element("th", {**kind, "scope": "col"}, name) for kind, name in zip(kinds, self.columns, strict=True)]
        rows = [
            element("tr", None, *(element("td", kind, cell) for kind, cell in zip(kinds, row, strict=True)))
            for row in self.rows
        ]
        body = element("tbody", None, *rows)
        table = element("table", None, element("thead", None, element("tr", None, *heads)), body)
        return element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": name}, table)
