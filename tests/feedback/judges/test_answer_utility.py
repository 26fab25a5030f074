from __future__ import annotations

import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.kilt import evaluate
from reml.experiment.settings.identity import identity
from reml.feedback.judges.answer_utility import NAMES, AnswerUtility

RIGHT, WRONG = Provenance("7"), Provenance("8")
EXAMPLES = [
    Example("a", "Where?", (Answer("The Red Sea", (RIGHT,)),)),
    Example("b", "Who?", (Answer("Ada"), Answer("Ada Lovelace", (RIGHT,)))),
]
ANSWERS = [
    [Answer("red sea", (RIGHT, WRONG)), Answer("The Red Sea", (WRONG,)), Answer("the sea", (RIGHT,)), Answer(None)],
    [Answer("Ada", (RIGHT,)), Answer("Ada", (RIGHT,)), Answer("Lovelace"), Answer("")],
]


def test_by_hand() -> None:
    assert AnswerUtility("em")(EXAMPLES, ANSWERS).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0]]
    assert AnswerUtility("KILT-em")(EXAMPLES, ANSWERS).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert AnswerUtility("accuracy")(EXAMPLES, ANSWERS).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    f1 = AnswerUtility("f1")(EXAMPLES, ANSWERS)
    assert f1[0].tolist() == pytest.approx([1, 1, 2 / 3, 0])
    assert f1[1].tolist() == pytest.approx([1, 0, 2 / 3, 0])


@pytest.mark.parametrize("measure", NAMES)
def test_it_is_the_measure_of_the_evaluation(measure: str) -> None:
    scores = AnswerUtility(measure)(EXAMPLES, ANSWERS)
    for place in (0, 2):
        expected = evaluate(EXAMPLES, [answers[place] for answers in ANSWERS]).values[measure]
        assert scores[:, place].tolist() == pytest.approx(expected.tolist())


def test_a_repeated_text_counts_once() -> None:
    assert AnswerUtility()(EXAMPLES[:1], [[Answer("Red Sea")] * 3]).tolist() == [[1, 0, 0]]
    other = [Answer("Red Sea", (RIGHT,)), Answer("Red Sea", (WRONG,)), Answer("Red Sea", (RIGHT,))]
    assert AnswerUtility()(EXAMPLES[:1], [other]).tolist() == [[1, 1, 0]], "with other provenance it is another answer"


@pytest.mark.parametrize(
    "name", ["reml.feedback.judges.answer_utility.AnswerUtility", "reml.feedback.expected_utility.ExpectedUtility"]
)
def test_what_was_learnt_before_results_changed_is_known_by_another_key(name: str) -> None:
    assert identity({"class_path": name}) == {"class_path": name, "version": 2}


def test_no_examples_and_no_samples() -> None:
    assert AnswerUtility()([], []).shape == (0, 0)
    assert AnswerUtility()(EXAMPLES, [[], []]).shape == (2, 0)


def test_an_unknown_measure_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no measure 'bleu': choose one of accuracy, em, f1, rougel, KILT-accuracy"):
        AnswerUtility("bleu")
