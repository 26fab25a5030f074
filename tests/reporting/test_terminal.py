from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.box import SIMPLE
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from reml.reporting import table as tables
from reml.reporting.terminal import print_table, print_whole


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


RETRIEVAL = tables.Table(
    ("access", "R-precision", "P@1", "recall@5", "nDCG@10"),
    frozenset({"access"}),
    [("a bm25", ".46 ±.13", ".47 ±.13", ".90 ±.09", ".74 ±.07"), ("b flat", ".50 ±.13", "", ".91 ±.09", ".75 ±.07 a")],
    "qa, n = 50",
)
BY_TASK = tables.Table(
    ("task", "access", "n", "A", "B"),
    frozenset({"task", "access"}),
    [(task, access, "9", "0.850 [0.767, 0.907]", "0.840 [0.756, 0.899]") for task in ("qa", "el") for access in "xy"],
    "figures",
    apart="task",
)
TEXTS = tables.Table(
    ("id", "question", "A"), frozenset({"id", "question", "A"}), [("7", "How long? " * 20, "")], "gone"
)
KEYS = tables.Table(("a", "b", "n"), frozenset({"a", "b"}), [("x" * 30, "y" * 30, "5")])
NUMBERS = tables.Table(("k", "m", "n"), frozenset(), [("1" * 20, "2" * 20, "3" * 20)])


def printed(table: tables.Table, width: int, *, terminal: bool = True) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, color_system=None)
    print_table(console, table)
    assert console.width == width
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("table", [RETRIEVAL, BY_TASK, TEXTS, KEYS, NUMBERS])
@pytest.mark.parametrize("width", [30, 48, 80, 100, 300])
def test_in_a_terminal_no_line_is_wider_and_no_cell_is_missing(table: tables.Table, width: int) -> None:
    lines = printed(table, width)
    assert max(map(cell_len, lines)) <= width
    letters = "".join("".join(lines).split())
    for row in table.rows:
        assert all("".join(cell.split()) in letters or len(cell) > width - 15 for cell in row)


@given(
    st.lists(st.lists(st.text("ab1 ", max_size=60), min_size=4, max_size=4), min_size=1, max_size=4),
    st.integers(20, 120),
    st.sets(st.sampled_from(["task", "name", "n", "A"])),
)
def test_any_table_fits_any_terminal(rows: list[list[str]], width: int, words: set[str]) -> None:
    table = tables.Table(("task", "name", "n", "A"), frozenset(words), rows)
    assert max(map(cell_len, printed(table, width))) <= width


def test_columns_that_do_not_fit_follow_with_the_names_of_their_rows() -> None:
    rows = [line.split() for line in printed(RETRIEVAL, 48)]
    heads = [row for row in rows if row[:1] == ["access"]]
    assert heads == [["access", "R-precision", "P@1", "recall@5"], ["access", "nDCG@10"]]
    assert ["b", "flat", ".75", "±.07", "a"] in rows
    assert sum(row[:1] == ["qa,"] for row in rows) == 1, "the title stands once"


def test_groups_that_do_not_fit_are_tables_of_their_own() -> None:
    text = "\n".join(printed(BY_TASK, 60))
    assert [text.count(part) for part in ("qa: figures", "el: figures", "task")] == [1, 1, 0]
    assert text.index("qa: figures") < text.index("0.850 [0.767, 0.907]") < text.index("el: figures")


def test_texts_that_do_not_fit_stand_one_below_the_other() -> None:
    lines = [line.strip() for line in printed(TEXTS, 60) if line.strip(" ─")]
    assert lines[0] == "gone"
    assert lines[1].split() == ["id", "7"]
    assert lines[2].split()[:3] == ["question", "How", "long?"]
    assert not any(line.startswith("A") for line in lines), "an empty cell has no line"


def test_a_file_has_each_row_in_a_line() -> None:
    (row,) = [line for line in printed(RETRIEVAL, 30, terminal=False) if "bm25" in line]
    assert row.split() == ["a", "bm25", ".46", "±.13", ".47", "±.13", ".90", "±.09", ".74", "±.07"]


@pytest.mark.parametrize("table", [RETRIEVAL, BY_TASK, TEXTS, KEYS, NUMBERS])
@pytest.mark.parametrize("width", [30, 300])
def test_in_a_file_no_line_ends_in_spaces_and_none_is_wider_than_the_cells(table: tables.Table, width: int) -> None:
    lines = printed(table, width, terminal=False)
    assert all(line == line.rstrip() for line in lines)
    widest = [max(map(cell_len, cells)) for cells in zip(table.columns, *table.rows, strict=True)]
    assert max(map(cell_len, lines)) <= max(1 + sum(widest) + 2 * len(widest), cell_len(table.title))
    assert not any("\x1b" in line for line in lines)
