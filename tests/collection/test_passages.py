from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.collection.passages import HEADING, Units, count_words, passage_text, split_page, words_of
from reml.contract.examples import Item, Page, Span

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


@pytest.mark.parametrize("rest", [(), ("",), ("\n", " "), (f"{HEADING}Only headings.\n",)])
@pytest.mark.parametrize("words", [1, 100, None])
def test_a_title_that_is_all_there_is_is_no_text(rest: tuple[str, ...], words: int | None) -> None:
    (passage,) = split_page(Page("1", "Chad ", ("Chad\n", *rest)), words)
    assert (passage.title, passage.text, passage.span) == ("Chad ", "", Span(0, 0, 0, 4))
    assert Item(0, passage.text, passage.title).full_text() == "Chad"


def test_a_text_that_says_no_more_than_its_title_stays() -> None:
    (passage,) = split_page(_page("Chad"))
    assert (passage.text, passage.span) == ("Chad", Span(1, 0, 1, 4))


def test_whole_pages() -> None:
    page = _page(
        f"{HEADING}Early.\n", " one two\n", "\n", *["three " * 500 + "\n"], "東京" * 500 + " \n", f"{HEADING}End.\n"
    )
    (passage,) = split_page(page, None)
    assert passage.span == Span(2, 1, 5, 1000)
    assert passage.text == passage_text(page, passage.span)
    assert passage.text.startswith("one two\nthree three")
    assert passage.text.endswith("three\n" + "東京" * 500)


UNSPACED = {
    "Chinese": "东京是日本的首都，也是最大的城市。",
    "Japanese": "東京は日本の首都であり、「コーヒー」の街である。",
    "Thai": "ภาษาไทยเป็นภาษาที่มีระดับเสียง",
    "Lao": "ພາສາລາວເປັນພາສາ",
    "Khmer": "ភាសាខ្មែរគឺជាភាសា",
    "Myanmar": "မြန်မာဘာသာစကားသည်",
    "Tibetan": "བོད་ཡིག་ནི་བོད་མིའི་ཡི་གེ་ཡིན།",
    "mixed": "東京Tower2020は、333mの塔です。",
    "beyond the basic plane": "𠮷野家𠮷野家",
    "Javanese": "ꦧꦱꦗꦮꦶꦏꦶꦭꦤ",
}


@pytest.mark.parametrize("text", UNSPACED.values(), ids=UNSPACED)
def test_scripts_without_spaces_are_cut_between_letters(text: str) -> None:
    paragraph = text * (28_000 // len(text))
    page = _page(paragraph)
    passages = split_page(page)
    assert "".join(passage.text for passage in passages) == paragraph
    assert min(len(passage.text) for passage in passages[:-1]) > 100
    assert max(len(passage.text) for passage in passages) < 700
    assert not [passage.text for passage in passages if unicodedata.category(passage.text[0])[0] == "M"]
    for passage in passages:
        assert passage.span is not None
        assert passage_text(page, passage.span) == passage.text


def test_two_letters_of_a_script_without_spaces_are_a_word() -> None:
    texts = [passage.text for passage in split_page(_page("一二三四五六七八九十" * 4 + "。\n", "end\n"), words=5)]
    assert texts == [*["一二三四五六七八九十"] * 3, "一二三四五六七八九十。", "end"]
    spaced = [passage.text for passage in split_page(_page("ภาษาไทย มีระดับ เสียงสูง"), words=4)]
    assert spaced == ["ภาษาไทย", "มีระดับ เสี", "ยงสูง"], "a space ends a word"


@pytest.mark.parametrize("text", [*UNSPACED.values(), "one two", "", "a" * 301, "one\x1ftwo", "see 東京."])
def test_words_are_counted_as_passages_do(text: str) -> None:
    counted = count_words(text)
    assert counted == len(words_of(text))
    assert len(split_page(_page(text), words=max(1, counted))) == 1
    assert counted < 2 or len(split_page(_page(text), words=counted - 1)) == 2


def test_what_other_scripts_quote_is_a_word_and_latin_in_long_stretches_stays_whole() -> None:
    quoted = "The sample is: 必要不可欠な基本情報の源、ワールド・ファクトブック(Japanese); see there. "
    assert [len(passage.text.split()) for passage in split_page(_page(quoted * 50), words=12)] == [12] * 25
    texts = [passage.text for passage in split_page(_page("東京Tower2020は高い" * 40), words=3)]
    assert not [text for text in texts if ("Tower" in text) != ("Tower2020" in text)]


@pytest.mark.parametrize(
    "text", ["ACGT" * 7_000, "-" * 28_000, "https://example.org/" + "a1b2/" * 5_000, "한국어" * 9_000]
)
def test_a_stretch_longer_than_any_word_is_cut(text: str) -> None:
    passages = split_page(_page(f"before {text} after"))
    assert max(len(passage.text) for passage in passages) <= 2_400
    assert "".join(passage.text for passage in passages).replace(" ", "") == f"before{text}after"


def test_a_long_word_of_a_script_with_spaces_is_one() -> None:
    word = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
    assert [passage.text for passage in split_page(_page(f"a {word} {'u' * 300} b"), words=2)] == [
        f"a {word}",
        f"{'u' * 300} b",
    ]


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
    assert [word for passage in passages for word in passage.text.split()] == said
    assert all(len(passage.text.split()) == words for passage in passages[:-1])
    for passage in passages if said else ():
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


# Paragraphs of a page, how it is cut, and the texts that come of it.
CUTS: list[tuple[list[str], int | None, Units, list[str]]] = [
    (["a b c d e f g"], 3, Units(overlap=1), ["a b c", "c d e", "e f g"]),
    (["a b c", "d e"], 4, Units(overlap=2), ["a b c\nd", "c\nd e"]),
    (["a b"], 5, Units(overlap=4), ["a b"]),
    (["AA bb. CC dd. EE ff. GG hh."], None, Units("sentences", 2), ["AA bb. CC dd.", "EE ff. GG hh."]),
    (
        ["AA bb. CC dd. EE ff. GG hh."],
        None,
        Units("sentences", 2, 1),
        ["AA bb. CC dd.", "CC dd. EE ff.", "EE ff. GG hh."],
    ),
    (["AA bb. CC dd ee. FF gg."], 5, Units("sentences"), ["AA bb. CC dd ee.", "FF gg."]),
    (["AA bb cc. DD ee. FF gg hh."], 5, Units("sentences", overlap=1), ["AA bb cc. DD ee.", "DD ee. FF gg hh."]),
    (["AA bb cc dd. EE ff gg hh ii."], 5, Units("sentences", overlap=1), ["AA bb cc dd.", "EE ff gg hh ii."]),
    (["AA bb cc dd ee ff gg. HH."], 3, Units("sentences"), ["AA bb cc", "dd ee ff", "gg. HH."]),
    (["One.", f"{HEADING}Head.", "Two. Three."], None, Units("sentences", 2), ["One.\nTwo.", "Three."]),
    (["Mr. A. B. C. came. He left."], None, Units("sentences", 1), ["Mr. A. B. C. came.", "He left."]),
    (["東京は都市だ。人が多い。", "京都。"], None, Units("sentences", 1), ["東京は都市だ。", "人が多い。", "京都。"]),
    (["東京は都市だ。人が多い。"], 4, Units("sentences"), ["東京は都市だ。", "人が多い。"]),
    (["one two", " ", "three", f"{HEADING}x", "four"], None, Units("paragraphs", 1), ["one two", "three", "four"]),
    (["one two", "three", "four five six"], 3, Units("paragraphs"), ["one two\nthree", "four five six"]),
    (["one\ntwo\n\nthree\n \nfour"], None, Units("paragraphs", 1), ["one\ntwo", "three", "four"]),
    (["a\n\nb\n\nc"], None, Units("paragraphs", 2, 1), ["a\n\nb", "b\n\nc"]),
    (["a b c d e", "f"], 2, Units("paragraphs"), ["a b", "c d", "e\nf"]),
]


@pytest.mark.parametrize(("paragraphs", "words", "units", "texts"), CUTS)
def test_sentences_and_paragraphs_stay_whole_and_overlap(
    paragraphs: list[str], words: int | None, units: Units, texts: list[str]
) -> None:
    page = _page(*paragraphs)
    passages = split_page(page, words, units)
    assert [passage.text for passage in passages] == texts
    assert all(passage.span is not None and passage_text(page, passage.span) == passage.text for passage in passages)


_UNITS = st.builds(
    Units, st.sampled_from(["sentences", "paragraphs"]), st.none() | st.integers(3, 4), st.integers(0, 2)
)


@given(_PARAGRAPHS, st.integers(3, 9), _UNITS | st.builds(Units, overlap=st.integers(1, 2)))
def test_whatever_passages_are_made_of_every_word_is_in_one_and_each_brings_a_new_one(
    paragraphs: list[str], words: int, units: Units
) -> None:
    page = _page(*paragraphs)
    passages = split_page(page, words, units)
    seen: set[tuple[int, int]] = set()
    for passage in passages:
        assert passage.span is not None
        assert passage_text(page, passage.span) == passage.text or passage.span.start_paragraph == 0
        assert passage.span.start_paragraph == 0 or count_words(passage.text) <= words
        first, last = passage.span.start_paragraph, passage.span.end_paragraph
        own = {
            (number, place)
            for number in range(max(first, 1), last + 1)
            for place in range(
                passage.span.start_character if number == first else 0,
                passage.span.end_character if number == last else len(page.paragraphs[number]),
            )
            if not page.paragraphs[number].startswith(HEADING) and not page.paragraphs[number][place].isspace()
        }
        assert own - seen or first == 0
        seen |= own
    wanted = {
        (number, place)
        for number, paragraph in enumerate(page.paragraphs)
        for place, character in enumerate(paragraph)
        if number and not paragraph.startswith(HEADING) and not character.isspace()
    }
    assert seen == wanted


@pytest.mark.parametrize(
    ("words", "units", "said"),
    [
        (None, Units("sentences"), "sentences of a passage have no limit: give `words`, or `size`"),
        (None, Units(overlap=1), "words of a passage have no limit"),
        (100, Units("words", 3), "size is 3: give it for sentences or paragraphs"),
        (100, Units("sentences", 0), "size is 0"),
        (5, Units(overlap=5), "overlap is 5: give 0 or more, below the 5 words of a passage"),
        (100, Units("sentences", 2, 2), "below the 2 sentences of a passage"),
        (100, Units("paragraphs", None, -1), "overlap is -1: give 0 or more"),
        (0, Units("sentences", 2), "words is 0"),
    ],
)
def test_what_does_not_fit_together_is_refused(words: int | None, units: Units, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        split_page(_page("one"), words, units)
