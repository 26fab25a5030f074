from __future__ import annotations

import io

from rich.console import Console

from reml.cli.search import highlighted, show
from reml.contract.examples import Item, Span

COPPER = Item(4, "Copper and zinc are exported.\nMiners [dig] for it.", "Harbour", "h", Span(1, 0, 1, 5))


def marked(query: str, text: str) -> list[str]:
    shown = highlighted(query, text)
    return [shown.plain[span.start : span.end] for span in shown.spans if span.style == "bold yellow"]


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


def test_wrapped_lines_are_indented() -> None:
    stream = io.StringIO()
    show(Console(file=stream, width=20), "zinc", [(2.5, COPPER)])
    lines = [line.rstrip() for line in stream.getvalue().splitlines()]
    assert lines[-4:] == ["     Copper and zinc", "     are exported.", "     Miners [dig]", "     for it."]


def test_scripts_without_spaces_are_marked_by_pairs_and_accents_in_either_form() -> None:
    assert marked("首都東京", "日本の首都は東京です") == ["首都", "東京"]
    assert marked("Beyonce\u0301", "BEYONCÉ and Beyonce\u0301s") == ["BEYONCÉ", "Beyoncés"]
    assert marked("हिन्दी", "वह हिन्दी है") == ["हिन्दी"]
