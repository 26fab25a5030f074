"""SQuAD's normalisation, exact match and F1, by hand and against their definitions."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.evaluation.answers import exact_match, f1, normalise


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The  N'Djamena!", "ndjamena"),
        ("An apple a day", "apple day"),
        ("a\N{EN DASH}b", "\N{EN DASH}b"),  # the dash is no ASCII punctuation, and bounds the article
        ("theatre", "theatre"),
        ("İstanbul", "i\N{COMBINING DOT ABOVE}stanbul"),
        ("the", ""),
        ("snake_case", "snakecase"),
        ("lone \ud800 surrogate", "lone \ud800 surrogate"),
    ],
)
def test_normalise_by_hand(text: str, expected: str) -> None:
    assert normalise(text) == expected


@given(st.text(alphabet=st.sampled_from("aAnthe TE'_.,-\N{EN DASH}é\x1c\n0"), max_size=40))
def test_normalise_is_its_definition(text: str) -> None:
    without = "".join(character for character in text.lower() if character not in string.punctuation)
    assert normalise(text) == " ".join(re.sub(r"\b(a|an|the)\b", " ", without).split())


def test_exact_match_looks_among_the_answers() -> None:
    assert exact_match("paris", {"paris", "lutetia"}) == 1.0
    assert exact_match("par", {"paris"}) == 0.0


def test_f1_counts_words_as_often_as_both_have_them() -> None:
    # Shared: one "new", one "york". Precision 2/3, recall 2/2, F1 = 2 * 2/3 / (5/3) = 0.8.
    assert f1("new new york", {"new york"}) == pytest.approx(0.8)


@given(st.lists(st.sampled_from("abc"), max_size=5), st.lists(st.sampled_from("abcd"), max_size=5))
def test_f1_is_its_definition(guess: list[str], answer: list[str]) -> None:
    shared = sum(min(guess.count(word), answer.count(word)) for word in set(guess))
    expected = 2 * shared / (len(guess) + len(answer)) if shared else 0.0
    assert f1(" ".join(guess), {" ".join(answer)}) == pytest.approx(expected, abs=1e-15)


def test_f1_is_that_of_the_best_answer() -> None:
    assert f1("red blue", {"green", "red", "red blue pink"}) == pytest.approx(0.8)
    assert f1("red", set()) == 0.0
    assert f1("", {""}) == 0.0
