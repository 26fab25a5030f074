"""An access model that stores, from YAML: later examples find what was predicted for earlier ones."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reml.__main__ import main
from reml.access.information_access import InformationAccess
from reml.access.storing import CollectionMemory
from reml.cli.loading import load
from reml.contract.access import Entries
from reml.contract.examples import Answer, Example
from reml.experiment.runner import Runner
from reml.experiment.settings.access import Access
from reml.experiment.settings.experiment import Experiment
from reml.files.records import read_examples, write_examples
from reml.files.trajectories import TRAJECTORIES, read_trajectories
from reml.predictors.remembering import Remembering
from reml.retrievers import bm25
from reml.tasks.factbook import Factbook
from tests.first_words import FirstWords
from tests.small_experiment import FACTS, write_experiment
from tests.truths import feedback, write_truths

BM25 = {"class_path": "reml.retrievers.bm25.BM25"}
MEMORY = {"class_path": "reml.access.storing.CollectionMemory"}
READER = {"class_path": "tests.first_words.FirstWords", "init_args": {"words": 2.0}}
REMEMBERING: dict[str, Any] = {
    "class_path": "reml.predictors.remembering.Remembering",
    "init_args": {"predictor": READER, "memory": "notes", "note": "{answer} - {question}"},
}


def follow_ups(folder: Path) -> None:
    """Ask of each page and number the question; then ask what was answered, by the number alone."""
    asked, again = [], []
    for number, (name, text) in enumerate(FACTS.items(), start=101):
        answer = (Answer(" ".join(text.split()[:2])),)
        asked.append(Example(f"asked-{number}", f"Case{number}: what of {name}?", answer))
        again.append(Example(f"again-{number}", f"What was that of case{number}?", answer))
    write_examples([*asked, *again], folder / "dev.jsonl")


def small(folder: Path, **changes: object) -> Path:
    """Write an experiment with an access model that stores beside the same without."""
    access = {"notes": {"retriever": BM25, "storage": MEMORY}, "plain": {"retriever": BM25}}
    settings: dict[str, object] = {"access": access, "predictor": REMEMBERING, "train_on": None}
    reading = {"k": 1, "depth": 4, "words": 40, "batch_size": 4}
    path = write_experiment(folder, **{**settings, "reading": reading, **changes})
    follow_ups(folder)
    return path


def runner_of(config: Path, home: Path) -> Runner:
    runner, _ = load("predict", ["--config", str(config), "--home", str(home)])
    return runner


def answers(path: Path) -> dict[str, str | None]:
    return {example.id: example.output[0].text for example in read_examples(path)}


def right(path: Path, kind: str) -> int:
    facts = dict(enumerate(FACTS.values(), start=101))
    said = {key: text for key, text in answers(path).items() if key.startswith(kind)}
    return sum(text == " ".join(facts[int(key[-3:])].split()[:2]) for key, text in said.items())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an experiment that was run."""
    folder = tmp_path_factory.mktemp("memory")
    assert main(["run", "--config", str(small(folder)), "--home", str(folder / "home")]) == 0
    return folder


def of_run(folder: Path) -> Path:
    (result,) = (folder / "home" / "runs").iterdir()
    return result


def test_follow_ups_are_answered_from_what_was_written(finished: Path) -> None:
    with_memory, without = (of_run(finished) / name / "places/predictions.jsonl" for name in ("notes", "plain"))
    assert (right(with_memory, "asked"), right(without, "asked")) == (6, 6)
    assert (right(with_memory, "again"), right(without, "again")) == (6, 0)


def test_run_and_provenance_show_what_was_really_found(finished: Path) -> None:
    run = (of_run(finished) / "notes/places/run.trec").read_text().splitlines()
    first = {line.split()[0]: line.split()[2] for line in reversed(run)}
    assert [first[f"again-{number}"] for number in range(101, 107)] == [f"text-{row}" for row in range(6, 12)]
    predicted = {one.id: one for one in read_examples(of_run(finished) / "notes/places/predictions.jsonl")}
    places = [place.wikipedia_id for place in predicted["again-103"].output[0].provenance]
    assert places[0] == "text-8"
    metrics = json.loads((of_run(finished) / "metrics.json").read_text())
    scores = [metrics[name]["places"]["downstream"]["downstream"]["em"] for name in ("notes", "plain")]
    assert scores == [1.0, 0.5]


def test_trajectories_show_what_was_read_of_the_memory(finished: Path) -> None:
    kept = list(read_trajectories(of_run(finished) / "notes/places" / TRAJECTORIES))
    assert [one.example for one in kept] == [one.id for one in read_examples(finished / "dev.jsonl")]
    assert [one.asks[0].shown.tolist() for one in kept[6:]] == [[row] for row in range(6, 12)]
    assert {one.reward for one in kept} == {1.0}


def test_the_memory_is_an_overlay_of_the_run(finished: Path) -> None:
    runner = runner_of(finished / "experiment.yaml", finished / "home")
    _, memory = runner.found("notes", "notes", "places")
    assert [len(runner.collection("places")), len(memory)] == [6, 18]
    _, same = runner.found("plain", "plain", "places")
    assert same.fingerprint == runner.collection("places").fingerprint


def test_the_batch_size_decides_who_finds_what(finished: Path) -> None:
    changed = ["--config", str(finished / "experiment.yaml"), "--home", str(finished / "home")]
    whole, _ = load("predict", [*changed, "--reading.batch_size", "12"])
    assert right(whole.predictions("notes", "places"), "again") == 0, "none finds what its own batch writes"
    assert (
        whole.plan.predictions("plain", "places").key
        == runner_of(finished / "experiment.yaml", finished / "home").plan.predictions("plain", "places").key
    )


@pytest.mark.parametrize(("access", "category"), [("notes", 2), ("plain", 1)])
def test_the_plan_tells_the_category(
    finished: Path, capsys: pytest.CaptureFixture[str], access: str, category: int
) -> None:
    config = ["--config", str(finished / "experiment.yaml"), "--home", str(finished / "home")]
    assert main(["run", *config, "--plan", "--trusted_packages", "tests"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if f" {access} " in line and "access" in line]
    assert f"access, category {category}" in line


@pytest.mark.parametrize("changes", [{}, {"regime": "joint", "learns": "both"}])
def test_one_that_learns_from_feedback_and_stores_is_of_category_4(tmp_path: Path, changes: dict[str, str]) -> None:
    remembering = {**REMEMBERING["init_args"], "predictor": {"class_path": "tests.truths.Reader"}}
    config = write_truths(
        tmp_path,
        {"fed": feedback(**changes), "notes": {**feedback(**changes), "storage": MEMORY}},
        predictor={**REMEMBERING, "init_args": {**remembering, "note": "noted {question} {answer}"}},
    )
    runner = runner_of(config, tmp_path / "home")
    model = runner.stages.open(runner.plan.model("notes", "things"))
    assert isinstance(model, InformationAccess)
    assert [runner.plan.access(name).category for name in ("dense", "fed", "notes")] == [1, 3, 4]
    handler = CollectionMemory().open(model.retriever, tmp_path / "by hand")
    assert (model.category, model.storing(handler).category) == (3, 4)
    first = runner.examples("things", "dev")[:1]
    assert model.storing(handler).open(first).write(Entries(np.zeros(1, np.int64), ("noted",))).tolist() == [48]
    assert runner.evaluate("notes", "things").mean("em") >= 0.9, "as what learnt and stores nothing"
    _, memory = runner.found("notes", "notes", "things")
    assert [item.text.split()[:2] for item in memory.get(np.array([48]))] == [["noted", "what"]]


def wrong(folder: Path, said: str, capsys: pytest.CaptureFixture[str], **changes: object) -> None:
    config = small(folder, **changes)
    assert main(["run", "--config", str(config), "--home", str(folder / "home")]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


NOTES = {"retriever": BM25, "storage": MEMORY}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"access": {"plain": {"retriever": BM25}, "notes": {"fuse": ["plain"], "storage": MEMORY}}},
            "leave out `fuse`",
        ),
        ({"access": {"notes": {"storage": MEMORY}}}, "give it a retriever"),
        ({"access": {"notes": NOTES, "both": {"fuse": ["notes"]}}}, "access model 'both' names it"),
        ({"train_on": {"access": "notes"}}, "train_on.access names it"),
        ({"train_on": {"access": ["plain", "notes"]}}, "train_on.access names it"),
        ({"predictor": None}, "'notes' stores what a predictor writes: give one under `predictor`"),
    ],
)
def test_what_cannot_store_is_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], said: str
) -> None:
    wrong(tmp_path, said, capsys, **changes)


def test_a_predictor_by_name_may_write(tmp_path: Path) -> None:
    systems = {"both": {"predictor": "writer", "access": ["plain", "notes"]}}
    config = small(tmp_path, predictor=None, predictors={"writer": REMEMBERING}, systems=systems)
    assert right(runner_of(config, tmp_path / "home").predictions("both", "places"), "again") == 6


def test_writing_to_what_does_not_store_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong(tmp_path, "to the access model 'notes', which does not store", capsys, access={"notes": {"retriever": BM25}})


def test_hits_ahead_of_one_that_stores_are_refused(finished: Path) -> None:
    runner = runner_of(finished / "experiment.yaml", finished / "home")
    with pytest.raises(ValueError, match="'notes' finds depends on what was written"):
        runner.hits("notes", "places", "dev")


def test_the_files_of_both_kinds_of_predictions_are_the_same(finished: Path) -> None:
    folders = {path.name.rsplit("-", 1)[0]: path for path in (finished / "home" / "predictions").iterdir()}
    names = {key: {path.name for path in folder.iterdir()} for key, folder in folders.items()}
    assert {"predictions.jsonl", "words_read.json"} <= names["predict-places-with-plain"]
    assert names["predict-places-with-plain"] < names["predict-places-with-notes"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"memory": "typo"},
            r"writes to the access model 'typo', which no system gives it: .*notes, plain. there store notes",
        ),
        (
            {"memory": "plain"},
            r"'plain', which does not store: of those that it is given .notes, plain. there store notes",
        ),
        (
            {"systems": ["plain"]},
            r"'notes', which no system gives it: of those that it is given .plain. there store none",
        ),
        ({"around": True, "memory": "typo"}, r"'typo', which no system gives it"),
    ],
)
def test_a_predictor_that_writes_to_what_does_not_store_is_refused_before_any_work(
    changes: dict[str, Any], told: str, tmp_path: Path
) -> None:
    predictor = {**REMEMBERING, "init_args": {**REMEMBERING["init_args"], "memory": changes.get("memory", "notes")}}
    if "around" in changes:
        predictor = {"class_path": "reml.predictors.asking_twice.AskingTwice", "init_args": {"predictor": predictor}}
    given = {name: {"predictor": "predictor", "access": [name]} for name in changes.get("systems", ())}
    with pytest.raises(ValueError, match=told):
        runner_of(small(tmp_path, predictor=predictor, systems=given), tmp_path / "home")


def test_a_predictor_made_in_python_is_held_to_it_too() -> None:
    access = {"notes": Access(bm25.BM25(), storage=CollectionMemory()), "plain": Access(bm25.BM25())}
    made = functools.partial(Remembering, functools.partial(FirstWords, words=2.0))
    Experiment([Factbook("qa")], access, functools.partial(made, memory="notes"))
    with pytest.raises(ValueError, match="'predictor' writes to the access model 'typo'"):
        Experiment([Factbook("qa")], access, functools.partial(made, memory="typo"))
