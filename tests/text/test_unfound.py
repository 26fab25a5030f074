from __future__ import annotations

import pytest

from reml.text.analysis import ENGLISH_STOP_WORDS, Analyser
from reml.text.unfound import why_nothing

TERMS = {"lima", "peru", "capit"}
GERMAN = Analyser(stop_words=("der", "die"), stemmer="german")


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("  ", "the query is empty"),
        ("The of", "the query holds only stop words ('the', 'of'), which are not searched for"),
        ("The ... of", "the query holds only stop words ('the', 'of') and signs, which are not searched for"),
        ("?!", "the query holds only signs, which are not searched for"),
        ("😀", "the query holds only signs, which are not searched for"),
        ("C", "the query holds only single letters or digits ('c'), which are not searched for"),
        ("é 7 é", "the query holds only single letters or digits ('é', '7'), which are not searched for"),
        (
            "the C++",
            "the query holds only stop words ('the') and single letters or digits ('c') and signs, which are not "
            "searched for",
        ),
        ("\u0301", "the query holds only signs, which are not searched for"),
        ("the zebra", "no passage has the word 'zebra'"),
        ("zebra quagga", "no passage has any of the words 'zebra', 'quagga'"),
        ("Москва", "no passage has the word 'москва', nor any word in Cyrillic letters"),
        ("हिन्दी", "no passage has the word 'हिन्दी', nor any word in Devanagari letters"),
        ("東京都", "no passage has any of the words '東京', '京都', nor any word in Chinese letters"),
        ("1984", "no passage has the word '1984'"),
        (
            " ".join(f"w{number}" for number in range(10)),
            f"no passage has any of the words {', '.join(f'{chr(39)}w{n}{chr(39)}' for n in range(8))}, ...",
        ),
        ("the capital zebra", "no passage matches the query, though there are some with words of it"),
    ],
)
def test_the_cause_is_said(query: str, why: str) -> None:
    assert why_nothing(query, Analyser(), TERMS.__contains__, TERMS) == why


def test_the_analyser_that_is_searched_with_is_asked() -> None:
    assert "the" in ENGLISH_STOP_WORDS
    assert why_nothing("the", GERMAN, TERMS.__contains__, TERMS) == "no passage has the word 'the'"
    assert "stop words ('der')" in why_nothing("der", GERMAN, TERMS.__contains__, TERMS)
    own = Analyser(pattern=r"\d+")
    assert why_nothing("Lima", own, TERMS.__contains__, TERMS) == (
        r"nothing in the query is a token by the pattern '\\d+'"
    )
