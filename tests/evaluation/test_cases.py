"""What became of a prediction, and of what was only retrieved; which examples show it."""

from __future__ import annotations

import pytest

from reml.contract.examples import Answer, Example, Measure, Provenance
from reml.evaluation.cases import PREDICTED, Cell, Outcome, chosen, judge, judge_retrieved


def example(*pages: str) -> Example:
    return Example("x", "q", (Answer("red fox", tuple(Provenance(page) for page in pages)),))


def predicted(text: str, *pages: str) -> Answer:
    return Answer(text, tuple(Provenance(page) for page in pages))


@pytest.mark.parametrize(
    ("answer", "measure", "outcome"),
    [
        (predicted("red fox", "a", "b"), "em", Outcome.RIGHT),
        (predicted("red fox", "x", "a", "b"), "em", Outcome.WRONG_PROVENANCE),
        (predicted("dog", "x", "a", "b"), "em", Outcome.NOT_USED),
        (predicted("dog", "a", "x"), "em", Outcome.MISSED),  # half the evidence is not enough
        (predicted("dog"), "em", Outcome.MISSED),
        (predicted("fox", "a", "b"), "f1", Outcome.RIGHT),  # F1 = 2/3
        (predicted("fox", "a", "b"), "accuracy", Outcome.NOT_USED),
    ],
)
def test_outcomes(answer: Answer, measure: Measure, outcome: Outcome) -> None:
    assert judge(example("a", "b"), answer, measure).outcome is outcome


def test_where_no_page_is_right_none_is_wrong() -> None:
    assert judge(example(), predicted("red fox", "x"), "em").outcome is Outcome.RIGHT
    assert judge(example(""), predicted("red fox"), "em").outcome is Outcome.RIGHT


def test_where_no_page_is_right_it_is_not_known_whether_retrieval_missed() -> None:
    assert judge(example(), predicted("dog", "x"), "em").outcome is Outcome.WRONG
    assert judge(example(""), predicted("dog"), "em").outcome is Outcome.WRONG


@pytest.mark.parametrize(
    ("pages", "outcome"), [(("x", "a", "b"), Outcome.FOUND), (("a", "x"), Outcome.MISSED), ((), Outcome.MISSED)]
)
def test_what_is_only_retrieved_is_found_or_missed(pages: tuple[str, ...], outcome: Outcome) -> None:
    case = judge_retrieved(example("a", "b"), Answer(None, predicted("", *pages).provenance))
    assert (case.outcome, case.score) == (outcome, None)
    assert judge_retrieved(example(), Answer()).outcome is Outcome.NOT_JUDGED


def cell(access: str, *outcomes: Outcome) -> Cell:
    return Cell(access, "qa", "em", {str(number): one for number, one in enumerate(outcomes)})


M, N, R = Outcome.MISSED, Outcome.NOT_USED, Outcome.RIGHT


def test_a_cell_counts_all() -> None:
    found = cell("bm25", N, R, R)
    assert found.counts == {**dict.fromkeys(PREDICTED, 0), N: 1, R: 2}


@pytest.mark.parametrize(
    ("cells", "each", "expected"),
    [
        ([cell("a", R, R, R, M)], 1, ["0", "3"]),
        ([cell("a", R, R, R, M)], 2, ["0", "1", "3"]),
        # One example serves the outcomes of both.
        ([cell("a", R, M, R), cell("b", M, R, R)], 1, ["0", "1"]),
        ([cell("a", R, R, R), cell("b", R, R, M)], 1, ["0", "2"]),
        ([cell("a", R, R), cell("b", R, R)], 0, []),
        ([cell("a", R), cell("b", R, M)], 1, ["0", "1"]),
        ([cell("a"), cell("b")], 3, []),
    ],
)
def test_few_examples_show_every_outcome_of_every_access_model(
    cells: list[Cell], each: int, expected: list[str]
) -> None:
    assert chosen(cells, each) == expected
