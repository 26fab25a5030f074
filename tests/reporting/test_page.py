"""Texts stay texts, wherever a page shows them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError

from reml.reporting.page import render, write_whole_page
from reml.reporting.plots import Line, Plot
from reml.reporting.table import Table
from tests import ROOT

TEMPLATE = "tests.reporting/hostile.html"


class Reader(HTMLParser):
    """Gathers the tags of a page, its texts, and the texts in its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.values: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [value or "" for name, value in attrs if name in {"title", "aria-label"}]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


def values(text: str) -> dict[str, object]:
    """Fill every place of the template with a text."""
    plot = Plot(text, text, (Line(text, (1.0, 2.0), (1.0, 2.0), 0),))
    table = Table((text,), frozenset(), [(text,)])
    return {"title": text, "heading": text, "text": text, "plot": plot, "table": table}


def tags(text: str) -> list[str]:
    return Reader(render(TEMPLATE, values(text))).tags


@pytest.mark.parametrize(
    "text", ["<script>alert('x')</script>", '"><img src=x>', "</style></title>", "{{ title }}", "&lt;b&gt;"]
)
def test_no_text_is_taken_for_markup(text: str) -> None:
    read = Reader(render(TEMPLATE, values(text)))
    assert read.tags == tags("plain")
    # Title, heading, link, paragraph, two of a pair, scroll, caption, label of the axis, legend, head and cell.
    assert read.texts.count(text) == 12
    # The paragraph's title, and the labels of what scrolls.
    assert read.values.count(text) == 3


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn", "Z"]), min_size=1)


@given(printable)
def test_any_text_comes_back_as_it_was(text: str) -> None:
    text = f"<{text}"  # or it might be a number that the axes show too
    read = Reader(render(TEMPLATE, values(text)))
    assert read.tags == tags("plain")
    assert (read.texts.count(text), read.values.count(text)) == (12, 3)


def test_characters_that_html_forbids_are_replaced(tmp_path: Path) -> None:
    write_whole_page(tmp_path / "page.html", TEMPLATE, values("a\x00b\ud800c\x7f"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert Reader(page).texts.count("a�b�c�") == 12
    assert not set("\x00\ud800\x7f") & set(page)


def test_no_template_lets_a_text_through() -> None:
    folders = (ROOT / "reml" / "reporting", ROOT / "reml" / "study", ROOT / "benchmarks")
    templates = [path for folder in folders for path in folder.rglob("*.html")]
    assert len(templates) >= 9
    for path in templates:
        assert not re.search(r"\bsafe\b|autoescape", path.read_text(encoding="utf-8")), path


def test_a_value_that_is_not_given_is_no_empty_text() -> None:
    without = values("text")
    del without["heading"]
    with pytest.raises(UndefinedError, match="'heading' is undefined"):
        render(TEMPLATE, without)


def test_a_template_that_is_not_there_is_named() -> None:
    with pytest.raises(TemplateNotFound, match=r"tests\.reporting/none\.html"):
        render("tests.reporting/none.html", {})
