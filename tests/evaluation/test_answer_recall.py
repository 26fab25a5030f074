from __future__ import annotations

import pytest

from reml.evaluation.answer_recall import answer_clues, has_answer


@pytest.mark.parametrize(
    ("text", "answer", "expected"),
    [
        ("He was born in New York.", "new york", True),
        ("They start at noon.", "art", False),  # KILT's context measures would say yes
        ("It cost $5.50!", "$5.50", True),
        ("It cost $5.505", "$5.50", False),
        ("New, York", "New York", False),  # a comma is a token
        ("cafe\u0301 noir", "caf\u00e9", True),  # the same letters, composed or not
        ("straße", "STRASSE", False),
        ("zero\u200bwidth", "zero width", True),  # a zero-width space is no token
        ("\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "\u05e9\u05dc\u05d5\u05dd", True),
        ("anything", "", False),
        ("anything", " \u200b", False),
    ],
)
def test_the_tokens_of_the_answer_stand_in_the_text(text: str, answer: str, expected: bool) -> None:
    assert has_answer(text, answer_clues([answer])) is expected


def test_one_of_several_answers_is_enough() -> None:
    clues = answer_clues(["Rome", "Oslo"])
    assert has_answer("in oslo", clues)
    assert not has_answer("in Lima", clues)
