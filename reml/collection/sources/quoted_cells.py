"""Cells that may stand in double quotes, as in DPR's passages: RFC 4180, but with tabs, and in one line."""

from __future__ import annotations


def quoted_cells(line: str) -> list[str]:
    """Give the cells of a line, those in quotes without these.

    A quoted cell begins and ends with a quote, and quotes in it are doubled; quotes that do not begin a cell are
    characters like others. `ValueError` if a quote is not closed in the line, or text stands behind one that is.
    """
    cells: list[str] = []
    start = 0
    while True:
        if line.startswith('"', start):
            end = _closing(line, start + 1, len(cells) + 1)
            cells.append(line[start + 1 : end - 1].replace('""', '"'))
        else:
            found = line.find("\t", start)
            end = len(line) if found < 0 else found
            cells.append(line[start:end])
        if end == len(line):
            return cells
        start = end + 1


def _closing(line: str, start: int, column: int) -> int:
    """Give the place behind the quote that closes a cell."""
    end = line.find('"', start)
    while end >= 0 and line.startswith('""', end):
        end = line.find('"', end + 2)
    if end < 0:
        raise ValueError(
            f"a quote is opened in column {column} and not closed in its line. Double quotes within a quoted text, and "
            "write a text in one line; if quotes are characters like others here, leave out `quoted`."
        )
    if not line.startswith("\t", end + 1) and end + 1 < len(line):
        raise ValueError(
            f"text stands behind the closing quote of column {column}: {line[end + 1 : end + 21]!r}. Double quotes "
            "within a quoted text; if quotes are characters like others here, leave out `quoted`."
        )
    return end + 1
