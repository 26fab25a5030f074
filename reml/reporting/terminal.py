"""What is printed in the terminal: as it stands, since names may hold square brackets, and without cut cells."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text


def say(console: Console, *parts: str | tuple[str, str]) -> None:
    """Print a line of texts, or of texts with their styles; nothing in them is read as markup."""
    console.print(Text.assemble(*parts), soft_wrap=True)


def print_whole(console: Console, table: Table) -> None:
    """Print a table as wide as its cells are; rich would shorten `0.477 ±0.012` to `0.4…` where there is no room.

    Its cells are shown as they stand; where it is too wide, its lines go on below.
    """
    unbounded = console.options.update(max_width=1 << 16, markup=False)
    natural = Measurement.get(console, unbounded, table).maximum
    narrow, console.width = console.width, max(console.width, natural)
    try:
        console.print(table, markup=False)
    finally:
        console.width = narrow
