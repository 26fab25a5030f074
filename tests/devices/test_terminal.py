from __future__ import annotations

import io

import pytest
from rich.console import Console

from reml.devices.terminal import busy, line, progress_bar, tracked

NAME = "[/INST] :smile: \x1b[2J [red]"
SHOWN = "[/INST] :smile: \\x1b[2J [red]"


def terminal() -> tuple[io.StringIO, Console]:
    stream = io.StringIO()
    return stream, Console(file=stream, width=200, force_terminal=True, color_system=None)


def test_what_a_progress_bar_says_is_no_markup() -> None:
    stream, console = terminal()
    with progress_bar("{task.description}", "{task.fields[pages]}", console=console, shown=True) as bar:
        bar.add_task(NAME, pages=NAME)
    assert f"{SHOWN} {SHOWN}" in stream.getvalue()


def test_values_pass_under_a_bar_that_names_them() -> None:
    stream, console = terminal()
    assert list(tracked(iter([1, 2, 3]), NAME, console, total=3)) == [1, 2, 3]
    assert SHOWN in stream.getvalue()


def test_a_stream_that_is_no_terminal_shows_no_bar() -> None:
    stream = io.StringIO()
    assert list(tracked([1], "read", Console(file=stream))) == [1]
    assert stream.getvalue().strip() == ""


def test_what_is_being_done_is_no_markup() -> None:
    stream, console = terminal()
    with busy(console) as now:
        now(NAME)
        console.print()
    assert SHOWN in stream.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_line_can_be_written_in_the_encoding_of_its_terminal(encoding: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=stream)
    console.print(line(console, "日 ", ("±", "bold")))
    stream.flush()
