"""What is printed in the terminal, line by line: as it stands (`reml.devices.terminal`), and without cut cells.

Nothing else prints: no other file calls rich's consoles or makes its tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from reml.devices.plain import plain
from reml.devices.terminal import line
from reml.reporting.table import Table

if TYPE_CHECKING:
    import regex

# Nothing can be read in less; a terminal may say that it has none at all.
NARROWEST = 20


def say(console: Console, *parts: str | tuple[str, str]) -> None:
    r"""Print one line of texts, or of texts with their styles; nothing in them is read as markup.

    The end of a line in them is shown as `\n`: who has two lines to say says twice.
    """
    with _as_wide_as(console, NARROWEST):
        console.print(line(console, *parts), soft_wrap=True)


def say_passage(console: Console, text: str, marked: regex.Pattern[str] | None = None) -> None:
    """Print a text of several lines, wrapped and set off to the right, with what a pattern finds in it marked."""
    shown = Text(plain(text.expandtabs(), console.encoding, keep="\n"))
    for found in marked.finditer(shown.plain) if marked is not None else ():
        shown.stylize("bold yellow", *found.span())
    with _as_wide_as(console, NARROWEST):
        console.print(Padding(shown, (0, 0, 0, 5), expand=False))


def asked(console: Console, prompt: str) -> str:
    """Ask for a line of text; "" where there is none to come."""
    try:
        return console.input(line(console, (prompt, "bold"))).strip()
    except (EOFError, RuntimeError):  # at the end of what is given, and where nothing is given at all
        return ""


def print_table(console: Console, table: Table) -> None:
    """Print a table whole; in a terminal that is narrower, as several that fit, or its rows as paragraphs.

    What is written to a file keeps its lines, however long they are.
    """
    if not console.is_terminal:
        print_whole(console, table.terminal())
        return
    with _as_wide_as(console, NARROWEST):
        for part in table.fitting(console.width):
            console.print(part.terminal(console.width))


def print_whole(console: Console, table: RichTable) -> None:
    """Print a table as wide as its cells are; rich would shorten `0.477 ±0.012` to `0.4…` where there is no room.

    Where it is too wide, its lines go on below. In a file no line ends in spaces.
    """
    unbounded = console.options.update(max_width=1 << 16)
    natural = Measurement.get(console, unbounded, table).maximum
    with _as_wide_as(console, natural):
        if console.is_terminal:
            console.print(table)
            return
        lines = console.render_lines(table, pad=False)
        text = "\n".join("".join(part.text for part in one).rstrip() for one in lines)
        console.print(Text(text), soft_wrap=True)


@contextmanager
def _as_wide_as(console: Console, width: int) -> Iterator[None]:
    narrow, console.width = console.width, max(console.width, width)
    try:
        yield
    finally:
        console.width = narrow
