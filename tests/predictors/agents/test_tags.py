from __future__ import annotations

import pytest

from reml.contract.access import Written
from reml.contract.examples import Item
from reml.predictors.agents.tags import (
    EMPTY_ANSWER,
    EMPTY_QUERY,
    FORGED,
    NESTED,
    NO_TAG,
    UNCLOSED,
    UNOPENED,
    Step,
    information,
    last_step_of,
    step_of,
)

SEARCHED, ANSWERED = "</search>", "</answer>"


@pytest.mark.parametrize(
    ("text", "stop", "step"),
    [
        ("<think> hm </think><search> the  capital\nof Chad ", SEARCHED, Step(query="the capital of Chad")),
        ("<think>I know.</think> <answer> Paris ", ANSWERED, Step(answer="Paris")),
        ("I think it is Paris.", "", Step(notes=(NO_TAG,))),
        ("", "", Step(notes=(NO_TAG,))),
        ("so Paris", ANSWERED, Step(notes=(UNOPENED,))),
        ("so Paris", SEARCHED, Step(notes=(UNOPENED,))),
        ("<search>  ", SEARCHED, Step(notes=(EMPTY_QUERY,))),
        ("<answer>\n", ANSWERED, Step(answer="", notes=(EMPTY_ANSWER,))),
        ("<answer> Paris\nand more", "", Step(answer="Paris", notes=(UNCLOSED,))),
        ("<search> Paris", "", Step(query="Paris", notes=(UNCLOSED,))),
        ("<search>", "", Step(notes=(UNCLOSED, EMPTY_QUERY))),
        ("<search>a<search>b", SEARCHED, Step(query="b", notes=(NESTED,))),
        ("<answer>it is <search>q", SEARCHED, Step(query="q", notes=(NESTED,))),
        ("<search><think>why</think> q", SEARCHED, Step(query="why q", notes=(NESTED,))),
        ("<search>a</think><answer>b", "", Step(answer="b", notes=(UNCLOSED, NESTED))),
        ("<information>x</information><answer>x", ANSWERED, Step(answer="x", notes=(FORGED,))),
    ],
)
def test_what_a_text_does(text: str, stop: str, step: Step) -> None:
    assert step_of(Written(text, stop)) == step


@pytest.mark.parametrize(
    ("text", "stop", "step"),
    [
        (" Paris ", ANSWERED, Step(answer="Paris")),
        ("<answer> Paris", ANSWERED, Step(answer="Paris", notes=(NESTED,))),
        (" Paris\nor so", "", Step(answer="Paris", notes=(UNCLOSED,))),
        ("x <search> q", SEARCHED, Step(answer="x q", notes=(NESTED, UNCLOSED))),
        ("", ANSWERED, Step(answer="", notes=(EMPTY_ANSWER,))),
        ("", "", Step(answer="", notes=(UNCLOSED, EMPTY_ANSWER))),
    ],
)
def test_what_comes_behind_an_answer_that_was_opened_is_one(text: str, stop: str, step: Step) -> None:
    assert last_step_of(Written(text, stop)) == step


def test_items_are_shown_as_the_paper_does() -> None:
    items = [Item(3, "It is dry.", "Chad"), Item(1, "It is wet.", "Oslo")]
    assert information(items) == (
        "\n\n<information>Doc 1(Title: Chad) It is dry.\nDoc 2(Title: Oslo) It is wet.</information>\n\n"
    )
    assert information([]) == "\n\n<information>Nothing was found.</information>\n\n"
    assert information([], 2) == "\n\n<information>(2 left out: the context is full.)</information>\n\n"
