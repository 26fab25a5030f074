"""What planning can know is said before any work: splits that are not there, and signals that nobody gives."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

import reml
from reml.experiment.settings.access_feedback import AccessFeedback
from reml.feedback.adist import Adist
from reml.feedback.emdr2 import Emdr2
from reml.feedback.pdist import Pdist
from reml.predictors.asking_twice import AskingTwice
from reml.predictors.first_title import FirstTitle
from reml.predictors.in_context import InContext
from reml.predictors.knn_lm import KnnLm
from reml.predictors.span import Span
from reml.retrievers.dense import Dense
from reml.tasks.jsonl import Jsonl
from tests.experiment.test_run import QUIET, places, small, titles
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment


def of_one_split(folder: Path, split: str) -> Jsonl:
    return Jsonl(split, {split: str(folder / f"{split}.jsonl")}, knowledge_source=str(folder / "pages.jsonl"))


def refused(experiment: reml.Experiment, home: Path, said: str) -> list[str]:
    """Run an experiment that is refused before anything is made; give the notes beside the sentence."""
    with pytest.raises(ValueError, match=said) as caught:
        reml.run(experiment, home, QUIET)
    assert not home.exists()
    return list(getattr(caught.value, "__notes__", []))


@pytest.mark.parametrize("beside", [True, False])
def test_a_task_of_dev_alone_is_not_trained_on(tmp_path: Path, beside: bool) -> None:
    write_experiment(tmp_path)
    tasks = [*([places(tmp_path)] if beside else []), of_one_split(tmp_path, "dev")]
    notes = refused(small(tmp_path, tasks=tasks), tmp_path / "home", "task 'dev' has no split 'train'")
    assert notes == ["the train split of 'dev' is asked for by a training (train_on, train, feedback)"]
    learnt = small(tmp_path, tasks=tasks, train_on=reml.TrainOn("both", tasks=["places"])) if beside else None
    assert learnt is None or reml.run(learnt, tmp_path / "home", QUIET).tasks == ("places", "dev")


@pytest.mark.parametrize(
    ("objective", "predictor", "said"),
    [
        (Pdist(), FirstTitle, "needs Signal.ITEM_LIKELIHOOD of the predictor, but FirstTitle gives Signal.NONE"),
        (Emdr2(), FirstWords, "needs Signal.ITEM_LIKELIHOOD of the predictor, but FirstWords gives"),
        (Pdist(), functools.partial(FirstWords, words=2.0), "but FirstWords gives Signal.NONE"),
        (Adist(), FirstTitle, r"needs Signal.ATTENTION .*\(ATTENTION: FiD and CopyFiD give it"),
        (Adist(), Span, "needs Signal.ATTENTION of the predictor, but Span gives Signal.ITEM_LIKELIHOOD"),
        (Adist(), functools.partial(InContext, answer_tokens=3), "needs Signal.ATTENTION .* but InContext gives"),
        (Pdist(), KnnLm, "but KnnLm gives Signal.NONE"),
        (Pdist(), functools.partial(AskingTwice, FirstTitle), "but AskingTwice gives Signal.NONE"),
    ],
)
@pytest.mark.parametrize("regime", ["conditional", "joint"])
def test_signals_that_the_predictor_lacks_are_refused(
    tmp_path: Path, objective: Any, predictor: Any, said: str, regime: Any
) -> None:
    write_experiment(tmp_path)
    feedback = AccessFeedback(learner="dense", objective=objective, regime=regime)
    access = {"dense": reml.Access(Dense()), "taught": reml.Access(feedback=feedback)}
    refused(titles(tmp_path, access=access, predictor=predictor), tmp_path / "home", said)


def test_each_task_has_a_split_of_its_own(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    tasks = [of_one_split(tmp_path, "dev"), of_one_split(tmp_path, "train")]
    with pytest.raises(ValueError, match="task 'train' has no split 'dev'"):
        reml.run(titles(tmp_path, tasks=tasks), tmp_path / "home", QUIET)
    reading = reml.Reading(k=2, depth=4, words=40, split={"train": "train"})
    results = reml.run(titles(tmp_path, tasks=tasks, reading=reading), tmp_path / "home", QUIET)
    rows = results.scores.to_pylist()
    assert {(row["task"], row["n"]) for row in rows} == {("dev", 3), ("train", 4)}
    with pytest.raises(ValueError, match=r"reading\.split names the task 'trian', which is not there; the experiment"):
        titles(tmp_path, tasks=tasks, reading=reml.Reading(split={"trian": "train"}))
    with pytest.raises(ValueError, match=r"reading.split is \['dev'\], but must be a text or a mapping by name"):
        reml.Reading(split=["dev"])  # type: ignore[arg-type]


def test_a_task_without_evidence_has_no_figure_for_it_and_its_own_measure(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    lines = (tmp_path / "dev.jsonl").read_text().splitlines()
    (tmp_path / "dev.jsonl").write_text("".join(line.split(', "provenance"')[0] + "}]}\n" for line in lines))
    rows = reml.run(titles(tmp_path), tmp_path / "home", QUIET).scores.to_pylist()
    found = {row["measure"]: row["value"] for row in rows if row["system"] == "bm25"}
    assert (found["Rprec"], found["KILT-em"], found["em"]) == (None, None, 0.0)


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ('{"id": "1", "output": [{"answer": "x"}]}', "dev.jsonl, line 1: the record has no 'input'; its keys are"),
        ('{"id": "1", "input": " "}', r"examples\('dev'\) of the task 'places' \(Jsonl\) gave example '1' without an"),
    ],
)
def test_a_record_without_input_is_named(tmp_path: Path, record: str, said: str) -> None:
    write_experiment(tmp_path)
    (tmp_path / "dev.jsonl").write_text(record + "\n")
    refused(titles(tmp_path), tmp_path / "home", said)
