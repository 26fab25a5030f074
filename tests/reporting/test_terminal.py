from __future__ import annotations

import io

import pytest
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from reml.reporting.terminal import print_whole


@pytest.mark.parametrize("width", [20, 200])
def test_no_cell_is_cut_or_folded(width: int) -> None:
    console = Console(file=io.StringIO(), width=width)
    table = Table("objective", "KILT-em", "passage_success_rate@1", box=SIMPLE, title="gains")
    table.add_row("reinforce, untrained", "0.428 ±0.012", "0.387 ±0.031")
    print_whole(console, table)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    row = next(line for line in lines if "reinforce" in line)
    assert row.split() == ["reinforce,", "untrained", "0.428", "±0.012", "0.387", "±0.031"]
    assert any("passage_success_rate@1" in line for line in lines)
    assert console.width == width
