from __future__ import annotations

import re
import sys
import unicodedata

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.text.words import (
    _MORE,
    LETTERS,
    folded,
    is_paired,
    letter_runs,
    lowered,
    parts_word,
    script,
    single_letters,
    words,
)

ANY_TEXT = st.text(st.characters(), max_size=60)
SAID = {
    "English is as it was": ("The Running BULLS, in N'Djamena: 42 a 7", "the running bulls in djamena 42"),
    "composed": ("Beyoncé", "beyoncé"),
    "decomposed": ("Beyonce\u0301", "beyoncé"),
    "two marks in either order": ("a\u0323\u0302b a\u0302\u0323b", "ậb ậb"),
    "a mark that has no composed letter": ("x\u0302y", "x\u0302y"),
    "a capital with no composed form, its small letter with one": ("J\u030cak \u01f0ak", "\u01f0ak \u01f0ak"),
    "Devanagari": ("हिन्दी भारत की भाषा है।", "हिन्दी भारत की भाषा है"),
    "Tamil": ("தமிழ் மொழி", "தமிழ் மொழி"),
    "Bengali, whose vowel sign is written in two": ("\u0995\u09c7\u09be\u09a8", "\u0995\u09cb\u09a8"),
    "Hebrew with points": ("שָׁלוֹם עולם", "שָׁלוֹם עולם"),
    "Arabic with vowels": ("كِتَاب جديد", "كِتَاب جديد"),
    "Persian with a joiner": ("می\u200cخواهم", "میخواهم"),
    "Vietnamese": (unicodedata.normalize("NFD", "Việt Nam"), "việt nam"),
    "Cyrillic": ("Москва — столица", "москва столица"),
    "Greek with its last sigma": ("ΟΔΟΣ", "οδος"[:3] + "ς"),
    "Turkish capital": ("İstanbul", "istanbul"),
    "Georgian": ("საქართველო", "საქართველო"),
    "Ethiopic, whose spaces are signs": ("ሰላም፡ለዓለም", "ሰላም ለዓለም"),
    "Tibetan, whose syllables are parted by signs": ("བོད་ཡིག", "བོད ཡིག"),
    "Chinese": ("东京是首都。", "东京 京是 是首 首都"),
    "Chinese, one letter": ("茶", "茶"),
    "Chinese beyond the basic plane": ("𠮷野家", "𠮷野 野家"),
    "Japanese": ("日本のコーヒー", "日本 本の のコ コー ーヒ ヒー"),
    "Japanese with a voice mark apart": ("か\u3099く", "がく"),
    "Japanese in half width": ("ｶﾞｸ", "ガク"),
    "mixed": ("東京Tower2020へ", "東京 tower2020 へ"),
    "full width": ("ＴＯＫＹＯ２０２０", "tokyo2020"),
    "Korean": ("서울은 수도", "서울 울은 수도"),
    "Korean decomposed": (unicodedata.normalize("NFD", "서울은"), "서울 울은"),
    "Thai, whose marks stay at their letters": ("ที่นี่", "ที่นี่"),
    "Thai digits": ("ปี๒๕๖๓", "ปี ๒๕๖๓"),
    "Lao": ("ລາວ", "ລາ າວ"),
    "Khmer": ("ភាសា", "ភាសា"),
    "Myanmar": ("မြန်မာ", "မြန် န်မာ"),
    "a zero-width space parts": ("ខ្មែរ\u200bភាសា", "ខ្មែ មែរ ភាសា"),
    "a soft hyphen does not": ("co\u00adoperation", "cooperation"),
    "variation selectors and emoji": ("❤\ufe0f 葛\U000e0100城", "葛城"),
    "a mark that begins a word is none of it": ("\u0301ab", "ab"),
    "superscripts and fractions are digits": ("10² ½", "10²"),
}


@pytest.mark.parametrize(("text", "found"), SAID.values(), ids=SAID)
def test_words_by_hand(text: str, found: str) -> None:
    assert words(text) == found.split()


@settings(max_examples=500, deadline=None)
@given(ANY_TEXT)
def test_canonically_equal_texts_have_the_same_words(text: str) -> None:
    for singles in (False, True):
        assert len({tuple(words(unicodedata.normalize(form, text), singles=singles)) for form in ("NFC", "NFD")}) == 1


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(max_codepoint=127), max_size=80))
def test_ascii_is_what_it_was(text: str) -> None:
    assert words(text) == words(text, singles=True) == re.findall(r"\b\w\w+\b", text.lower())


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_no_word_begins_with_a_mark_and_an_index_has_what_is_asked(text: str) -> None:
    asked, kept = words(text), words(text, singles=True)
    assert all(unicodedata.category(word[0])[0] != "M" for word in kept)
    assert set(asked) <= set(kept)
    assert {word for word in kept if not is_paired(word)} == {word for word in asked if not is_paired(word)}


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT)
def test_a_letter_is_in_a_word_or_single(text: str) -> None:
    everything = "".join(letter_runs(folded(text)))
    said = set("".join([*words(text), *single_letters(text)]))
    assert said == set(everything)


def test_what_needs_no_more_than_lower_case_is_told_at_a_glance() -> None:
    for point in range(sys.maxunicode + 1):
        character = chr(point)
        if _MORE.search(lowered(character)) is None:
            assert unicodedata.category(character) not in ("Mn", "Mc", "Me"), hex(point)
            assert not is_paired(character), hex(point)
            assert folded(f"a{character}b", singles=True) == unicodedata.normalize("NFC", f"a{character}b".lower())


@pytest.mark.parametrize(
    ("text", "place", "inside"),
    [
        ("naïve", 3, True),
        ("a b", 1, False),
        ("हिन्दी", 1, True),
        ("हिन्दी", 2, True),
        ("東京都", 1, False),
        ("東京Tower", 2, False),
        ("ที่นี่", 1, True),
        ("ที่นี่", 3, False),
        ("x\u0302.", 1, True),
        ("sq. km", 2, False),
    ],
)
def test_where_a_cut_falls_into_a_word(text: str, place: int, inside: bool) -> None:
    assert parts_word(text, place) is inside


def test_scripts_are_named() -> None:
    assert [script(word) for word in ("abc", "42", "москва", "東京", "हिन्दी", "7th")] == [
        "Latin",
        "",
        "Cyrillic",
        "Chinese",
        "Devanagari",
        "Latin",
    ]


def test_letters_are_those_of_re_and_marks() -> None:
    known = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) != "Cn"]
    wanted = [one for one in known if unicodedata.category(one)[0] in "LNM" or one == "_"]
    assert regex.findall(f"[{LETTERS}]", "".join(known)) == wanted
    assert re.findall(r"\w", "".join(known)) == [one for one in wanted if unicodedata.category(one)[0] != "M"]
