from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.collection.passages import HEADING, passage_text, split_page
from reml.contract.examples import Page, Span

# White space of several kinds, a zero-width space (which is none), right-to-left, astral and combining characters.
_CHARACTERS = st.sampled_from([*"ab.é שע", "\t", "\n", "\u00a0", "\u2003", "\u200b", "\u0301", "😀", "\x1f"])
_PARAGRAPHS = st.lists(
    st.one_of(st.text(_CHARACTERS, max_size=30), st.just(f"{HEADING}Early life.\n"), st.just(f"x {HEADING}y\n")),
    max_size=8,
)


def _page(*paragraphs: str) -> Page:
    return Page("1", "Chad", ("Chad\n", *paragraphs))


def test_a_passage_ends_at_the_given_number_of_words_and_the_last_may_be_shorter() -> None:
    first, second = split_page(_page("one two three\n", "four five\n"), words=4)
    assert (first.text, first.span) == ("one two three\nfour", Span(1, 0, 2, 4))
    assert (second.text, second.span) == ("five", Span(2, 5, 2, 9))
    assert (first.page_id, first.title) == ("1", "Chad")


def test_a_paragraph_longer_than_a_passage_is_cut_within() -> None:
    texts = [passage.text for passage in split_page(_page("a b c d e f g\n"), words=3)]
    assert texts == ["a b c", "d e f", "g"]


def test_inner_white_space_is_kept_and_outer_is_not() -> None:
    (passage,) = split_page(_page("  one \t two\u00a0\n", " \n", "\tthree\n"))
    assert (passage.text, passage.span) == ("one \t two\nthree", Span(1, 2, 3, 6))


def test_headings_are_no_part_of_the_text_and_still_count_as_paragraphs() -> None:
    page = _page("one\n", f"{HEADING}Two words.\n", "three\n", f"{HEADING}Last.\n")
    (passage,) = split_page(page)
    assert (passage.text, passage.span) == ("one\nthree", Span(1, 0, 3, 5))


def test_a_word_that_looks_like_a_heading_within_a_paragraph_stays() -> None:
    page = _page(f"one two {HEADING}x\n", "four\n")
    assert [passage.text for passage in split_page(page, words=2)] == ["one two", f"{HEADING}x\nfour"]


@pytest.mark.parametrize("rest", [(), ("\n", " "), (f"{HEADING}Only headings.\n",)])
def test_a_page_with_only_a_title_is_its_title(rest: tuple[str, ...]) -> None:
    (passage,) = split_page(Page("1", "Chad", (" Chad Lake \n", *rest)))
    assert (passage.text, passage.span) == ("Chad Lake", Span(0, 1, 0, 10))


@pytest.mark.parametrize("paragraphs", [(), ("\n",), ("", " ")])
def test_a_page_with_nothing_at_all_is_refused_by_name(paragraphs: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"page '7' \('Empty'\) has no text"):
        split_page(Page("7", "Empty", paragraphs))


def test_a_passage_needs_a_word() -> None:
    with pytest.raises(ValueError, match="words is 0"):
        split_page(_page("one"), words=0)


@given(paragraphs=_PARAGRAPHS, words=st.integers(1, 5))
def test_spans_recover_the_text_and_every_word_is_in_one_passage(paragraphs: list[str], words: int) -> None:
    page = _page(*paragraphs)
    passages = split_page(page, words)
    said = [word for paragraph in paragraphs if not paragraph.startswith(HEADING) for word in paragraph.split()]
    assert [word for passage in passages for word in passage.text.split()] == (said or ["Chad"])
    assert all(len(passage.text.split()) == words for passage in passages[:-1])
    for passage in passages:
        span = passage.span
        assert span is not None
        assert passage_text(page, span) == passage.text
        assert page.paragraphs[span.start_paragraph][span.start_character :].startswith(passage.text.split()[0])
        assert page.paragraphs[span.end_paragraph][: span.end_character].endswith(passage.text.split()[-1])


@given(paragraphs=_PARAGRAPHS, words=st.integers(1, 5))
def test_spans_ascend_without_overlap(paragraphs: list[str], words: int) -> None:
    spans = [passage.span for passage in split_page(_page(*paragraphs), words) if passage.span is not None]
    places = [
        place
        for span in spans
        for place in ((span.start_paragraph, span.start_character), (span.end_paragraph, span.end_character))
    ]
    assert places == sorted(set(places))
