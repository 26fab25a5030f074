"""KILT's measures: equal to the frozen cases of its own code, and small cases by hand."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from reml.contract.examples import Answer, Example, Json, Provenance
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import answer_scores, evaluate
from reml.evaluation.kilt_files import evaluate_files
from reml.files.records import read_examples

CASES = ("hotpotqa-merged-11", "hotpotqa-plain-11", "wow-merged-11", "wow-plain-11")


def flat(value: Json, name: str = "") -> dict[str, float]:
    if not isinstance(value, Mapping):
        assert isinstance(value, float)
        return {name: value}
    return {path: number for key, inner in value.items() for path, number in flat(inner, f"{name}/{key}").items()}


@pytest.mark.parametrize("case", CASES)
def test_files_equal_the_frozen_figures(shared: Path, case: str) -> None:
    folder = shared / "kilt_parity"
    expected = json.loads((folder / "expected.json").read_text())
    assert set(expected) == set(CASES)
    result = evaluate_files(folder / f"{case}-gold.jsonl.gz", folder / f"{case}-guess.jsonl.gz").to_json()
    assert flat(result) == pytest.approx(flat(expected[case]), abs=1e-9, rel=0)


@pytest.mark.parametrize("case", CASES)
def test_examples_equal_the_frozen_figures(shared: Path, case: str) -> None:
    folder = shared / "kilt_parity"
    expected = json.loads((folder / "expected.json").read_text())[case]
    examples = list(read_examples(folder / f"{case}-gold.jsonl.gz"))
    guesses = {guess.id: guess.output[0] for guess in read_examples(folder / f"{case}-guess.jsonl.gz")}
    answers = [Answer(guesses[example.id].text or "", guesses[example.id].provenance) for example in examples]
    assert flat(evaluate(examples, answers).to_json()) == pytest.approx(flat(expected), abs=1e-9, rel=0)


def example(name: str, answer: str, *pages: str) -> Example:
    return Example(name, f"What of {name}?", (Answer(answer, tuple(Provenance(page, title=page) for page in pages)),))


def answer(text: str, *pages: str) -> Answer:
    return Answer(text, tuple(Provenance(page, text=f"passage of {page}: Oslo") for page in pages))


def test_three_examples_by_hand() -> None:
    examples = [example("one", "Oslo", "p"), example("two", "The Oslo", "q"), example("three", "red fox", "r", "s")]
    answers = [answer("Oslo", "p", "x"), answer("oslo.", "x", "q"), answer("fox", "s", "r")]
    result = evaluate(examples, answers)
    assert result.ids == ("one", "two", "three")
    expected: dict[str, list[float]] = {
        "accuracy": [1, 0, 0],
        "em": [1, 1, 0],
        "f1": [1, 1, 2 / 3],
        "KILT-accuracy": [1, 0, 0],
        "KILT-em": [1, 0, 0],
        "KILT-f1": [1, 0, 2 / 3],
        "Rprec": [1, 0, 1],
        "entity_in_input": [0, 0, 1],  # the title "r" is in "what of three"
        "precision@1": [1, 0, 1],  # of the third, {r, s} is complete at place 1: its first page gave its place up
        "recall@5": [1, 1, 1],
        "success_rate@5": [1, 1, 1],
        "answer_in_context@1": [1, 1, 0],
        "entity_in_context@1": [1, 0, 1],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(result.values[name], values, err_msg=name)
    assert result.downstream("f1") == pytest.approx((1 + 1 + 2 / 3) / 3)
    assert result.kilt("f1") == pytest.approx((1 + 2 / 3) / 3)


def test_an_empty_answer_has_no_points_and_keeps_its_provenance() -> None:
    result = evaluate([example("one", "Oslo", "p")], [answer("  ", "p")])
    assert result.mean("Rprec") == 1.0
    assert result.downstream("em") == result.kilt("f1") == 0.0


def test_rouge_and_accuracy_of_one_answer() -> None:
    gold = Gold.of(example("one", "Oslo", "p"))
    scores = answer_scores(gold, Guess("one", "Oslo Oslo", (), ()))
    assert scores["accuracy"] == scores["em"] == 0.0
    assert scores["f1"] == pytest.approx(2 / 3)
    assert scores["rougel"] == pytest.approx(1.0)


def test_depths_are_as_asked_and_five() -> None:
    result = evaluate([example("one", "Oslo", "p")], [answer("Oslo", "x", "y", "p")], depths=(3, 2))
    assert result.mean("recall@2") == 0.0
    assert result.mean("recall@3") == 1.0
    assert result.mean("precision@3") == pytest.approx(1 / 3)
    assert "recall@5" in result.values
    assert "recall@10" not in result.values


def test_of_no_examples_nothing_is_measured() -> None:
    nothing = evaluate([], [])
    assert math.isnan(nothing.mean("em"))
    assert set(nothing.means().values()) == {None}
    assert "0.0" not in json.dumps(nothing.to_json())


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="1 examples but 0 answers"):
        evaluate([example("one", "Oslo", "p")], [])
    with pytest.raises(ValueError, match=r"no right answer.*'one'"):
        evaluate([Example("one", "q")], [answer("Oslo")])
    with pytest.raises(ValueError, match="each must be 1 or more"):
        evaluate([], [], depths=(0,))
    with pytest.raises(KeyError, match="no measure 'map'; there are accuracy"):
        evaluate([], []).mean("map")


def evidenced(*pages: str, title: str | None = None, name: str = "x") -> Example:
    return Example(name, "q", (Answer("a", tuple(Provenance(page, title=title) for page in pages)),))


@pytest.mark.parametrize(
    ("examples", "lacking"),
    [
        ([evidenced()], {"Rprec", "KILT-em", "precision@1", "recall@5", "success_rate@20", "entity_in_input"}),
        (
            [evidenced(), evidenced(name="y")],
            {"Rprec", "KILT-f1", "entity_in_context@1", "answer_and_ent_in_context@5"},
        ),
        ([evidenced("")], {"Rprec", "KILT-em", "recall@5"}),
        ([evidenced("1")], {"entity_in_input", "entity_in_context@5"}),
        ([evidenced(), evidenced("1", title="T", name="y")], set()),
        ([evidenced("1", title="T")], set()),
        ([], {"Rprec", "em"}),
    ],
)
def test_what_nothing_is_compared_with_is_not_measured(examples: list[Example], lacking: set[str]) -> None:
    """KILT's code gives 0, which stays where there are examples; means have none, and tables empty cells."""
    scores = evaluate(examples, [Answer("a", (Provenance("1", title="T", text="t"),))] * len(examples))
    assert not any(scores.measures(name) for name in lacking)
    assert {name for name, mean in scores.means().items() if mean is None} >= lacking
    assert all(scores.mean(name) == 0.0 if examples else np.isnan(scores.mean(name)) for name in lacking)
    assert scores.measures("em") is bool(examples)
    if not lacking:
        assert all(map(scores.measures, scores.values))


def test_while_training_a_task_without_evidence_counts_by_its_measure() -> None:
    scores = evaluate([evidenced()], [Answer("a")])
    assert not scores.has_kilt("em")
    assert scores.dev_score("em") == 1.0
