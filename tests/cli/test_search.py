from __future__ import annotations

import io

import pytest
from rich.console import Console

from reml.cli.search import like, show
from reml.contract.examples import Item, Span

COPPER = Item(4, "Copper and zinc are exported.\nMiners [dig] for it.", "Harbour", "h", Span(1, 0, 1, 5))


def marked(query: str, text: str) -> list[str]:
    pattern = like(query)
    return [found[0] for found in pattern.finditer(text)] if pattern is not None else []


def test_words_that_begin_like_one_of_the_query_are_marked() -> None:
    assert marked("Which exports of COPPER?", COPPER.text) == ["Copper", "exported"]
    assert marked("traded", "cotton, a trader and a stranger") == ["trader"]
    assert marked("(zinc*", COPPER.text) == ["zinc"]


def test_a_query_without_words_marks_nothing() -> None:
    assert marked("", COPPER.text) == []
    assert marked("is it", COPPER.text) == []


def test_hits_are_shown_with_rank_score_title_and_row() -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=80), "zinc", [(2.5, COPPER)])
    assert "1  2.500  Harbour  (row 4)" in stream.getvalue()
    assert "     Miners [dig] for it." in stream.getvalue(), "a text is no markup"


def test_a_title_and_a_text_are_shown_as_they_stand() -> None:
    item = Item(4, "[/INST]\t\x1b[2J\u202e\nend", "[link=x]\n:smile:", "h", Span(1, 0, 1, 5))
    stream = io.StringIO()
    show(Console(file=stream, width=80), "zinc", [(2.5, item)])
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[0].startswith("  1  2.500  [link=x]\\n:smile:  (row 4)")
    assert lines[1:] == ["     [/INST] \\x1b[2J\\u202e", "     end"]


@pytest.mark.parametrize("width", [0, 1, 3, 6, 19])
def test_a_text_can_be_read_in_the_narrowest_terminal(width: int) -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=width), "zinc", [(2.5, COPPER)])
    assert "     Miners [dig]" in [line.rstrip() for line in stream.getvalue().splitlines()]


def test_wrapped_lines_are_indented() -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=20), "zinc", [(2.5, COPPER)])
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[-4:] == ["     Copper and zinc", "     are exported.", "     Miners [dig]", "     for it."]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("  ", "the query is empty"),
        ("The ... of", "the query holds only stop words and signs"),
        ("the zebra", "no passage matches the query"),
    ],
)
def test_why_nothing_is_found_is_said(query: str, why: str) -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=200), query, [])
    assert f"nothing found: {why}" in stream.getvalue()
