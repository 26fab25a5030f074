"""Texts stay texts."""

from __future__ import annotations

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from reml.reporting.markup import element, render


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.title = ""
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.title = dict(attrs).get("title") or self.title

    def handle_data(self, data: str) -> None:
        self.text += data


def test_children_keep_their_order() -> None:
    made = element(
        "p", {"class": "c"}, "one ", "two ", element("b", None, "bold"), " three", " four", element("br"), "end"
    )
    assert render(made) == '<p class="c">one two <b>bold</b> three four<br>end</p>'


def test_markup_in_texts_and_attributes_is_escaped() -> None:
    made = element("p", {"title": '"><script>'}, "<script>&amp;</script>")
    assert render(made) == '<p title="&quot;&gt;<script&gt;">&lt;script&gt;&amp;amp;&lt;/script&gt;</p>'


def test_characters_that_html_forbids_are_replaced() -> None:
    assert render(element("p", None, "a\x00b\ud800c")) == "<p>a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c</p>"


printable = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), min_size=1)


@given(printable, printable)
def test_any_text_comes_back_as_it_was(text: str, title: str) -> None:
    reader = Reader()
    reader.feed(render(element("p", {"title": title}, text)))
    reader.close()
    assert (reader.tags, reader.title, reader.text) == (["p"], title, text)
