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
    assert '<td>a, &#34;b&#34; &lt;c&gt; :smile:</td><td class="number" data-label="n [of 9]">0.5</td>' in page


@pytest.mark.parametrize(
    ("column", "text", "cell"),
    [
        ("n", "5", '<td class="number" data-label="n">5</td>'),
        ("n", "", '<td class="number none" data-label="n"></td>'),
        ("word", "a", '<td data-label="word">a</td>'),
        ("word", "", '<td class="none" data-label="word"></td>'),
        ("word", "0", '<td data-label="word">0</td>'),
        ("", "from cache", "<td>from cache</td>"),
        ('a "b"', "<i>", '<td class="number" data-label="a &#34;b&#34;">&lt;i&gt;</td>'),
    ],
)
def test_each_cell_but_the_first_says_what_it_is(column: str, text: str, cell: str) -> None:
    page = Table(("name", column), frozenset({"name", "word", ""}), [("x", text)]).html("a name")
    assert f"<td>x</td>{cell}</tr>" in page.replace("\n", "")


def test_on_a_page_groups_fold_without_the_column_that_tells_them_apart() -> None:
    rows = [("b", "x", "1"), ("a <i>", "y", "2"), ("b", "z", "3")]
    page = Table(("task", "name", "n"), frozenset({"task", "name"}), rows, apart="task").html("all")
    assert page.count('<details class="task" open>') == 2
    assert page.count('<th scope="col">name</th><th class="number" scope="col">n</th>') == 2
    assert '<th scope="col">task</th>' not in page
    first, second = page.split("</details>")[:2]
    assert "<summary>b</summary>" in first
    assert [cell in first for cell in ("<td>x</td>", "<td>y</td>", "<td>z</td>")] == [True, False, True]
    assert "<summary>a &lt;i&gt;</summary>" in second
    assert 'aria-label="all: a &lt;i&gt;"' in second


def test_some_of_the_columns() -> None:
    assert TABLE.only(["n [of 9]"]) == Table(("n [of 9]",), TABLE.words, [["12"], ["0.5"]])
