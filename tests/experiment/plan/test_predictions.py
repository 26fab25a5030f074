"""What the predictor of several tasks learns from and sees."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.cli.loading import load
from reml.experiment.results import publish
from reml.files.records import read_examples
from reml.files.trajectories import TRAJECTORIES, read_trajectories
from tests.small_experiment import task_of, write_experiment


def predicted(folder: Path, train_on: dict[str, object], predictor: str = "FirstWords") -> dict[str, str | None]:
    """Train on `places`, beside a task without a train split; give the answers to that one."""
    config = write_experiment(
        folder,
        tasks=[task_of(folder, "places"), task_of(folder, "unlearnt", splits=["dev"])],
        access={"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
        train_on={"access": "bm25", **train_on},
        predictor={"class_path": f"tests.first_words.{predictor}"},
    )
    runner, _ = load("predict", ["--config", str(config), "--home", str(folder / "home")])
    return {found.id: found.output[0].text for found in read_examples(runner.predictions("bm25", "unlearnt"))}


def test_tasks_that_are_not_learnt_are_predicted_too(tmp_path: Path) -> None:
    answers = predicted(tmp_path, {"tasks": ["places"], "temperature": 2.0})
    assert answers["q-cuba"] == "Tobacco barns"


def test_the_predictor_sees_the_task_and_the_retriever_does_not(tmp_path: Path) -> None:
    asked = "What is seen in Cuba?"
    assert predicted(tmp_path, {"tasks": ["places"]}, "Echo")["q-cuba"] == asked
    assert predicted(tmp_path, {"tasks": ["places"], "prefix": True}, "Echo")["q-cuba"] == f"unlearnt: {asked}"
    rooms = Counter(path.name.split("-")[0] for path in (tmp_path / "home" / "hits").iterdir())
    assert rooms == {"retrieve": 2}, "places train, and one dev, which both tasks have: queries have no prefix"


def test_a_task_to_learn_that_has_no_train_split_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(
        tmp_path, tasks=[task_of(tmp_path, "places", splits=["dev"])], train_on={"access": "bm25", "prefix": True}
    )
    assert main(["train", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    assert "'places' has no split 'train'" in capsys.readouterr().err


def test_what_was_asked_is_kept_beside_the_predictions_and_published_with_its_reward(tmp_path: Path) -> None:
    config = write_experiment(tmp_path, access={"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}})
    runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home"), "--train_on.access", "bm25"])
    scores = runner.evaluate("bm25", "places")
    publish(runner, {"bm25": {"places": scores}})
    kept = list(read_trajectories(runner.predictions("bm25", "places").parent / TRAJECTORIES))
    published = list(read_trajectories(runner.folder / "bm25" / "places" / TRAJECTORIES))
    predicted = list(read_examples(runner.predictions("bm25", "places")))
    hits = runner.hits("bm25", "places", "dev").first(2)
    assert [one.example for one in kept] == [example.id for example in runner.examples("places", "dev")]
    assert [one.answer.text for one in kept] == [example.output[0].text for example in predicted]
    for one, example, rows in zip(kept, runner.examples("places", "dev"), hits.rows, strict=True):
        (asked,) = one.asks
        assert (asked.access, asked.queries) == ("bm25", (example.input,))
        assert asked.shown.tolist() == rows[rows >= 0].tolist()
        assert asked.used.tolist() == asked.shown[:1].tolist(), "the predictor reads the first item"
    assert [one.reward for one in kept] == [None] * 3
    assert [one.reward for one in published] == scores.values["em"].tolist()


def test_a_predictor_that_asks_again_is_trained_and_judged_like_any_other(tmp_path: Path) -> None:
    """Judging it while it trains asks its access model live: what it writes itself was answered by nobody ahead."""
    twice = {
        "class_path": "reml.predictors.asking_twice.AskingTwice",
        "init_args": {"predictor": {"class_path": "tests.first_words.FirstWords"}},
    }
    config = write_experiment(
        tmp_path,
        access={"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}},
        train_on={"access": "bm25"},
        predictor=twice,
    )
    runner, _ = load("predict", ["--config", str(config), "--home", str(tmp_path / "home")])
    kept = list(read_trajectories(runner.predictions("bm25", "places").parent / TRAJECTORIES))
    cuba = next(one for one in kept if one.example == "q-cuba")
    assert cuba.answer.text == "Tobacco barns", "it learnt that answers have two words"
    assert [asked.queries for asked in cuba.asks] == [
        ("What is seen in Cuba?",),
        ("What is seen in Cuba? Tobacco barns",),
    ]
