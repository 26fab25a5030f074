"""The right answers that a run writes have the form of KILT's: its predictions scored by them give its figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import reml
from reml.__main__ import main
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.kilt_files import InvalidFilesError, evaluate_files
from reml.evaluation.metrics import Bleu
from reml.files.atomic import read_json
from reml.files.records import read_examples, write_examples
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.small_experiment import write_experiment

PERU, CUBA = (Provenance("peru"),), (Provenance("cuba", "Cuba", 1, 0, 1, 5),)
FULL = (Answer("Peru", PERU),)
BARE: tuple[Answer, ...] = ()
UNSCORED = [
    BARE,
    (Answer(""),),
    (Answer("  "),),
    (Answer(None, PERU),),
    (Answer("\u00a0\t"), Answer(None)),
    (Answer(None, (Provenance(""),)),),
]


def run(folder: Path, outputs: Sequence[tuple[Answer, ...]], **changes: Any) -> reml.Results:
    write_experiment(folder)
    asked = [Example(f"q{n}", "Which mountains have terraces?", one, meta={"n": n}) for n, one in enumerate(outputs)]
    write_examples(asked, folder / "dev.jsonl")
    task = Jsonl("own", {"dev": folder / "dev.jsonl"}, knowledge_source=folder / "pages.jsonl")
    parts: dict[str, Any] = {"tasks": [task], "access": {"bm25": reml.Access(BM25())}, "predictor": FirstTitle}
    return reml.run(reml.Experiment(**{**parts, **changes}), folder / "home", Console(quiet=True))


def check(results: reml.Results) -> int:
    """Evaluate what the run wrote, and compare it with its figures; give how many examples were scored."""
    folder = results.folder
    metrics: Any = read_json(folder / "metrics.json")
    found = evaluate_files(folder / "gold" / "own.jsonl", folder / "bm25" / "own" / "predictions.jsonl")
    written = found.to_json()
    for part in written:
        assert metrics["bm25"]["own"][part] == written[part]
    return len(found)


@pytest.mark.parametrize(
    ("outputs", "scored"),
    [
        ([FULL, FULL], 2),
        ([FULL, BARE], 1),
        ([BARE, FULL, BARE, FULL], 2),
        *(([one, FULL, one], 1) for one in UNSCORED),
        ([FULL, (Answer("Peru"), Answer(None, CUBA)), (Answer("Cuba", CUBA), Answer("yes"))], 3),
        ([(Answer("Peru"),), FULL, *UNSCORED], 2),
    ],
)
def test_its_predictions_have_its_figures(outputs: list[tuple[Answer, ...]], scored: int, tmp_path: Path) -> None:
    assert check(run(tmp_path, outputs)) == scored


@pytest.mark.parametrize("limit", [1, 2, 3, 5])
def test_a_limit_counts_for_both(limit: int, tmp_path: Path) -> None:
    outputs = [FULL, BARE, (Answer("Peru"),), BARE, FULL]
    found = run(tmp_path, outputs, reading=reml.Reading(limit=limit))
    assert check(found) == sum(map(bool, outputs[:limit]))


def test_the_command_scores_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = run(tmp_path, [BARE, FULL, FULL]).folder
    guess = folder / "bm25" / "own" / "predictions.jsonl"
    assert main(["evaluate", "--gold", str(folder / "gold" / "own.jsonl"), "--guess", str(guess)]) == 0
    said = capsys.readouterr().out
    assert "answers of 2 examples" in said
    assert "1 predictions are for ids that" in said
    assert len(list(read_examples(guess))) == 3, "all that is asked is predicted"


def test_an_own_metric_changes_nothing(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    asked = [Example("a", "Terraces?", FULL), Example("b", "Mountains?")]
    write_examples(asked, tmp_path / "own.jsonl")
    source = tmp_path / "pages.jsonl"
    task = Jsonl("own", {"dev": tmp_path / "own.jsonl"}, knowledge_source=source, metric=Bleu())
    folder = run(tmp_path, [FULL], tasks=[task]).folder
    assert [one.id for one in read_examples(folder / "gold" / "own.jsonl")] == ["a"]
    assert len(evaluate_files(folder / "gold" / "own.jsonl", folder / "bm25" / "own" / "predictions.jsonl")) == 1


def test_where_nothing_is_scored_the_questions_stand(tmp_path: Path) -> None:
    folder = run(tmp_path, [BARE, BARE]).folder
    assert [one.id for one in read_examples(folder / "gold" / "own.jsonl")] == ["q0", "q1"]


def test_where_nothing_is_predicted_all_that_is_judged_stands(tmp_path: Path) -> None:
    outputs = [BARE, (Answer(None, PERU),), FULL]
    folder = run(tmp_path, outputs, predictor=None).folder
    assert [one.output for one in read_examples(folder / "gold" / "own.jsonl")] == outputs


def test_examples_come_in_their_order_scored_or_not(tmp_path: Path) -> None:
    outputs = [BARE, FULL, (Answer(None, PERU),), FULL, BARE]
    found = list(run(tmp_path, outputs).examples("bm25", "own"))
    assert [one.example.id for one in found] == ["q0", "q1", "q2", "q3", "q4"]
    assert [bool(one.scores) for one in found] == [False, True, False, True, False]
    assert [one.example.answers for one in found] == [(), ("Peru",), (), ("Peru",), ()]
    assert [one.example.meta for one in found if one.scores] == [{"n": 1}, {"n": 3}]
    assert all(one.answer.text for one in found), "all are predicted"


def test_files_of_others_are_checked_as_before(tmp_path: Path) -> None:
    folder = run(tmp_path, [FULL, FULL]).folder
    gold, guess = tmp_path / "gold.jsonl", folder / "bm25" / "own" / "predictions.jsonl"
    write_examples([Example("q0", "?", FULL), Example("q1", "?")], gold)
    assert evaluate_files(gold, guess).ids == ("q0",), "what has no output is passed over"
    write_examples([Example("q0", "?", FULL), Example("q9", "?", FULL)], gold)
    with pytest.raises(InvalidFilesError, match="no prediction for id 'q9'"):
        evaluate_files(gold, guess)
