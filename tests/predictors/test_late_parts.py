from __future__ import annotations

import pytest
import torch

from reml.predictors.late.sheets import form, standardised
from reml.predictors.late.templates import ASK, SPAN, TITLE, Fit, Templates, fits, kind, words


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Do you know Chad?\nHow is it ruled?", [1, 0, 0, 1, 0]),
        ("near [START_ENT] Chad [END_ENT] the", [0, 1, 0, 0, 0]),
        ("Chad [SEP] capital", [0, 0, 1, 0, 0]),
        ("What is the capital of Chad? ", [0, 0, 0, 1, 0]),
        ("The capital of Chad is Lima.", [0, 0, 0, 0, 1]),
        ("", [0, 0, 0, 0, 0]),
    ],
)
def test_the_form_of_an_input(text: str, told: list[int]) -> None:
    assert form(text) == told


def test_scores_of_any_scale_say_the_same() -> None:
    scores, mask = torch.tensor([[3.0, 1.0, 2.0, 9.0], [5.0, 5.0, 0.0, 0.0]]), torch.ones(2, 4) > 0
    mask[0, 3] = False
    mask[1, 2:] = False
    found = standardised(scores, mask)
    torch.testing.assert_close(found, standardised(100 * scores - 7, mask))
    assert found[0].tolist() == pytest.approx([1.5**0.5, -(1.5**0.5), 0, 0])
    assert found[1].tolist() == [0, 0, 0, 0]
    infinite = scores.masked_fill(~mask, -torch.inf)
    torch.testing.assert_close(standardised(infinite, mask), found)


@pytest.mark.parametrize(
    ("pattern", "of", "said"),
    [
        ("SUPPORTS", 0, ""),
        (SPAN, 1, ""),
        (f'"{SPAN}"', 1, ""),
        (TITLE, 2, ""),
        (f"The capital of {TITLE} is {SPAN}.", 3, "The capital of is ."),
        (f"{SPAN} meters", 3, "meters"),
        (ASK + SPAN, 4, ""),
    ],
)
def test_kinds_of_patterns_and_their_words(pattern: str, of: int, said: str) -> None:
    assert kind(pattern) == of
    assert words(pattern.removeprefix(ASK)) == said


def test_a_span_stands_between_words() -> None:
    spans = {fit.span for fit in fits("The first import partner is Germany", "", "Imports - partners: Germany 11%")}
    assert spans == {"", "Germany"}
    assert SPAN in {fit.pattern for fit in fits("北京", "", "首都是北京市")}  # no spaces between words there


def sentence(country: str, hours: str) -> list[Fit]:
    text = f"Capital: time difference: {hours} (2 hours ahead)"
    return fits(f"The time difference of {country} is {hours}.", country, text)


def test_a_pattern_waits_until_it_leads() -> None:
    """While all values are alike, what is the value cannot be told."""
    templates = Templates(8, 2)
    for number in range(4):
        templates.learn(f"same {number}", [sentence(f"Land{number}", "UTC+1")])
    assert list(templates.known) == []
    templates.learn("other", [sentence("Chad", "UTC+2")])
    assert list(templates.known) == [f"The time difference of {TITLE} is {SPAN}."]


def test_a_text_without_places_must_be_frequent() -> None:
    templates = Templates(8, 2)
    for number in range(500):
        templates.learn(f"label {number}", [fits("SUPPORTS" if number % 2 else "REFUTES", "Chad", "a text")])
        if number % 200 == 0:
            templates.learn(f"rare {number}", [fits("Germany", "Chad", "a text")])
    assert set(templates.known) == {"SUPPORTS", "REFUTES"}


def test_counts_are_kept_apart_for_many_patterns() -> None:
    templates = Templates(8, 3)
    for number in range(20_000):
        templates.learn(f"e{number}", [[Fit(f"pattern {number} {SPAN}", "x")]])
    assert list(templates.known) == []
