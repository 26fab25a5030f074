from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.access.presenting.cutting import GAP, cut, first_words, stretches
from reml.collection.passages import RUNS, Unit, Units, passage_text, split_page
from reml.contract.examples import Item, Page, Span

PARAGRAPH = "First one. Second one is here. Third."


def items_of(page: Page, words: int | None, units: Units = RUNS) -> list[Item]:
    return [
        Item(row, one.text, one.title, one.page_id, one.span) for row, one in enumerate(split_page(page, words, units))
    ]


def test_a_cut_is_the_characters_of_its_span() -> None:
    page = Page("p", "P", ("P", f"  {PARAGRAPH}"))
    (item,) = items_of(page, None)
    places = stretches(item.text)
    assert [item.text[start:stop] for start, stop in places] == ["First one.", "Second one is here.", "Third."]
    left = cut(item, places[1:], as_kept=True)
    assert (left.text, left.span) == ("Second one is here. Third.", Span(1, 13, 1, 39))
    assert left.span is not None
    assert page.paragraphs[1][left.span.start_character : left.span.end_character] == left.text
    assert (left.row, left.title, left.page_id) == (item.row, item.title, item.page_id)


def test_what_is_left_out_between_is_marked_and_inside_the_span() -> None:
    (item,) = items_of(Page("p", "P", ("P", PARAGRAPH)), None)
    first, _, last = stretches(item.text)
    left = cut(item, [first, last], as_kept=True)
    assert left.text == f"First one.{GAP}Third."
    assert left.span == item.span


def test_sentences_of_two_paragraphs_are_two_though_no_full_stop_parts_them() -> None:
    assert stretches("Area 5 km\nCapital: Lima") == [(0, 9), (10, 23)]
    assert stretches("") == stretches(" \n ") == []


def test_in_the_first_and_last_paragraph_the_place_is_exact_and_between_it_is_held() -> None:
    """A heading and a blank paragraph, of which the text knows nothing, stand between."""
    third = "  Three ate. Four ate. Five ate."
    page = Page("p", "P", ("P", "One ate. Two ate.", "Section::::H.", third, "", " Six ate. Seven ate."))
    (item,) = items_of(page, None)
    one, two, three, four, five, six, seven = stretches(item.text)
    exact = {
        (one,): Span(1, 0, 1, 8),
        (two,): Span(1, 9, 1, 17),
        (seven,): Span(5, 10, 5, 20),
        (two, three, four, five, six): Span(1, 9, 5, 9),
        (three, four, five): Span(1, 17, 5, 1),
    }
    for places, span in exact.items():
        left = cut(item, places, as_kept=True)
        assert left.span == span
        assert left.text == passage_text(page, span)
    assert cut(item, [four], as_kept=True).span == Span(1, 17, 5, 1), "the smallest that surely holds it"


def test_a_text_that_is_not_that_of_its_span_keeps_the_whole_span() -> None:
    rewritten = Item(0, "One. Two.", "", "p", Span(1, 0, 1, 50))
    assert cut(rewritten, [(0, 4)], as_kept=True).span == rewritten.span
    over = Item(0, "One. Two.", "", "p", Span(1, 0, 3, 50))
    assert cut(over, [(0, 4)], as_kept=True).span == over.span
    short = Item(0, "One.\nTwo and more.", "", "p", Span(1, 0, 3, 5))
    assert cut(short, [(5, 18)], as_kept=True).span == short.span
    before = Item(0, "One. Two.", "", "p", Span(1, 4, 1, 13))
    assert cut(before, [(5, 9)], as_kept=False) == Item(0, "Two.", "", "p", Span(1, 4, 1, 13)), "changed before"
    gaps = Item(0, f"One.{GAP}Three. Four.\nAnd more.", "", "p", Span(1, 0, 3, 50))
    assert cut(gaps, [(14, 19)], as_kept=False) == Item(0, "Four.", "", "p", gaps.span)
    assert stretches(gaps.text) == [(0, 4), (7, 13), (14, 19), (20, 29)]
    assert cut(gaps, stretches(gaps.text), as_kept=True).text == gaps.text
    assert cut(Item(0, "One. Two."), [(0, 4)], as_kept=True) == Item(0, "One.")


def test_a_long_sentence_is_cut_behind_its_first_words() -> None:
    text = "Go. One two  three four"
    start, stop = first_words(text, (4, len(text)), 3)
    assert text[start:stop] == "One two  three"


LINES = st.sampled_from(
    [
        "Alpha beta. Gamma! Delta.",
        "",
        "Section::::Early.",
        "  One two. Three four five. ",
        "x",
        "日本語です。はい。",
        "A\tb. C d.",
    ]
)


@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from([3, 5, 9, None]), st.data())
def test_a_cut_is_in_the_page_where_its_span_says(lines: list[str], words: int | None, data: st.DataObject) -> None:
    """Exactly, if it is one stretch that no inner paragraph bounds; in any case the span holds it."""
    page = Page("p", "Title", ("Title", *lines))
    item = data.draw(st.sampled_from(items_of(page, words)))
    places = stretches(item.text)
    if not places:
        return
    first = data.draw(st.integers(0, len(places) - 1))
    last = data.draw(st.integers(first, len(places) - 1))
    left = cut(item, places[first : last + 1], as_kept=True)
    assert left.span is not None
    whole = passage_text(page, left.span)
    assert left.text in whole
    if left.span.start_paragraph == left.span.end_paragraph:
        assert left.text == whole


@pytest.mark.parametrize("unit", ["paragraphs", "sentences"])
def test_passages_of_one_paragraph_have_exact_spans_only(unit: Unit) -> None:
    page = Page("p", "P", ("P", PARAGRAPH, "Section::::H.", "  One b. Two b. Three b."))
    for item in items_of(page, None, Units(unit, size=1)):
        for place in stretches(item.text):
            left = cut(item, [place], as_kept=True)
            assert left.span is not None
            assert passage_text(page, left.span) == left.text
