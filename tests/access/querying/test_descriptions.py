"""Questions of several hops in the forms that HotpotQA and the embedded pages have."""

from __future__ import annotations

import pytest

from reml.access.querying.descriptions import description, named


@pytest.mark.parametrize(
    ("question", "described", "then"),
    [
        (
            "What position was held by the woman who portrayed Corliss Archer in the film Kiss and Tell?",
            "the woman who portrayed Corliss Archer in the film Kiss and Tell",
            "What position was held by NAME?",
        ),
        (
            "How many ports does the country that is the main supplier of Trinidad and Tobago have?",
            "the country that is the main supplier of Trinidad and Tobago",
            "How many ports does NAME have?",
        ),
        (
            "Who rules the country with which Greece shares its longest border?",
            "the country with which Greece shares its longest border",
            "Who rules NAME?",
        ),
        (
            "How much rain does the country that Spain once ruled have?",
            "the country that Spain once ruled",
            "How much rain does NAME have?",
        ),
        (
            "Which band was founded by the singer whose mother was born in St. Louis?",
            "the singer whose mother was born in St. Louis",
            "Which band was founded by NAME?",
        ),
        (
            "Where do the goods that the country which borders Łódź buys come from?",
            "the country which borders Łódź",
            "Where do the goods that NAME buys come from?",
        ),
        (
            "The manager who recruited David Beckham led which team?",
            "The manager who recruited David Beckham",
            "NAME led which team?",
        ),
        ("What is the capital of Chad?", "", "NAME What is the capital of Chad?"),
        ("what is the country that borders nobody?", "", "NAME what is the country that borders nobody?"),
        ("The actor who played Ken was born in Bern.", "", "NAME The actor who played Ken was born in Bern."),
        ("Do you know the man who met Ken?\nNo.", "", "NAME Do you know the man who met Ken?\nNo."),
        ("", "", "NAME "),
    ],
)
def test_what_is_described_is_asked_for_first_and_then_named(question: str, described: str, then: str) -> None:
    assert description(question) == described
    assert named(question, "NAME") == then


def test_of_descriptions_in_each_other_the_innermost_is_asked_for_first() -> None:
    nested = "the man who " + "met the old man that " * 5_000 + "Ken?"
    assert description(nested) == "the old man that Ken"
