"""One table in the terminal, on a page and as CSV."""

from __future__ import annotations

import csv
import io

import pytest
from rich.console import Console

from reml.reporting.table import Table
from reml.reporting.terminal import print_whole

TABLE = Table(("task", "n [of 9]"), frozenset({"task"}), [("[bold]nq[/bold]", "12"), ('a, "b" <c> :smile:', "0.5")])


def shown(table: Table, width: int = 120) -> list[str]:
    console = Console(width=width, file=io.StringIO(), force_terminal=True, color_system=None)
    with console.capture() as captured:
        print_whole(console, table.terminal())
    return [line.rstrip() for line in captured.get().splitlines() if line.strip(" ─")]


def test_brackets_in_the_terminal_are_no_markup() -> None:
    head, first, second = shown(TABLE)
    assert head.split(maxsplit=1) == ["task", "n [of 9]"]
    assert first.split() == ["[bold]nq[/bold]", "12"]
    assert second.split(maxsplit=3) == ["a,", '"b"', "<c>", ":smile:" + second.split(":smile:")[1]]


def test_words_stand_left_and_numbers_right() -> None:
    head, first, second = shown(TABLE)
    assert {line.index(start) for line, start in ((head, "task"), (first, "[bold]"), (second, "a,"))} == {1}
    assert len(head) == len(first) == len(second), "numbers end together"


def test_a_title_stands_above_and_its_brackets_are_no_markup() -> None:
    titled = Table(("n",), frozenset(), [("1",)], title="[red]gains[/red]")
    assert shown(titled)[0].strip() == "[red]gains[/red]"


@pytest.mark.parametrize("width", [10, 200])
def test_no_cell_is_cut(width: int) -> None:
    assert shown(TABLE, width)[1].split() == ["[bold]nq[/bold]", "12"]


def test_groups_are_set_apart() -> None:
    table = Table(("task", "n"), frozenset({"task"}), [("a", "1"), ("a", "2"), ("b", "3")], apart="task")
    console = Console(width=80, file=io.StringIO())
    with console.capture() as captured:
        console.print(table.terminal())
    lines = [line.split() for line in captured.get().splitlines()]
    start = lines.index(["a", "1"])
    assert lines[start : start + 4] == [["a", "1"], ["a", "2"], [], ["b", "3"]]


def test_csv_gives_the_cells_back() -> None:
    assert list(csv.reader(io.StringIO(TABLE.comma_separated()))) == [list(TABLE.columns), *map(list, TABLE.rows)]


def test_html_has_every_cell_as_a_text() -> None:
    page = TABLE.html("a <name>")
    assert 'aria-label="a &lt;name&gt;"' in page
    assert '<th scope="col">task</th><th class="number" scope="col">n [of 9]</th>' in page
    assert '<td>a, &#34;b&#34; &lt;c&gt; :smile:</td><td class="number">0.5</td>' in page


def test_some_of_the_columns() -> None:
    assert TABLE.only(["n [of 9]"]) == Table(("n [of 9]",), TABLE.words, [["12"], ["0.5"]])
