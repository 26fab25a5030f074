"""Tables in the terminal without cut cells: where one is too wide, its lines go on below."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table


def print_whole(console: Console, table: Table) -> None:
    """Print a table as wide as its cells are; rich would shorten `0.477 ±0.012` to `0.4…` where there is no room."""
    unbounded = console.options.update(max_width=1 << 16)
    natural = Measurement.get(console, unbounded, table).maximum
    narrow, console.width = console.width, max(console.width, natural)
    try:
        console.print(table)
    finally:
        console.width = narrow
