"""The four outcomes of a prediction, and what is kept of many."""

from __future__ import annotations

import pytest

from reml.contract.examples import Answer, Example, Measure, Provenance
from reml.evaluation.cases import Case, Outcome, gather, judge, ordered


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


def test_a_cell_counts_all_and_keeps_a_few() -> None:
    pairs = [(example("a"), predicted("red fox", "x", "a"))] * 5 + [(example("a"), predicted("dog", "a"))] * 3
    cell = gather(pairs, access="bm25", task="qa", measure="em", cases_each=2)
    assert cell.counts == {
        Outcome.MISSED: 0,
        Outcome.NOT_USED: 3,
        Outcome.WRONG_PROVENANCE: 5,
        Outcome.RIGHT: 0,
    }
    assert [case.outcome for case in cell.cases] == [Outcome.WRONG_PROVENANCE] * 2 + [Outcome.NOT_USED] * 2
    assert cell.recall == (3 / 8, 1.0)


def test_recall_reaches_as_far_as_the_provenance() -> None:
    cell = gather([(example("a"), predicted("dog"))], access="bm25", task="qa", measure="em", cases_each=2)
    assert cell.recall == ()
    pages = [str(number) for number in range(150)]
    cell = gather([(example("120"), predicted("dog", *pages))], access="bm25", task="qa", measure="em", cases_each=2)
    assert cell.recall == (0.0,) * 100


def test_what_must_be_mended_first_comes_first() -> None:
    cases = [Case(example(), predicted("a"), outcome, 0.0, 0.0) for outcome in reversed(Outcome)]
    assert [case.outcome for case in ordered(cases)] == list(Outcome)
