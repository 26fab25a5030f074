"""What keys are made of, and what a plan shows, over experiments of which nothing is made."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from reml.__main__ import main
from reml.cli.loading import load
from reml.contract.signals import Signal
from reml.experiment.costs import costs_of, parts_of
from reml.experiment.graph import nodes
from reml.experiment.runner import Runner
from reml.experiment.settings.access import Access
from reml.experiment.settings.experiment import Experiment, Reading
from reml.experiment.settings.train_on import TrainOn
from reml.feedback.pdist import Pdist
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from reml.training.settings import Training
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment
from tests.truths import TRAINING, feedback, write_truths

SHORT = {**TRAINING, "steps": 2}


def runner_of(config: Path, *arguments: str) -> Runner:
    return load("run", ["--config", str(config), "--home", str(config.parent / "home"), *arguments])[0]


def keys(runner: Runner) -> dict[str, str]:
    return {node.name: node.key for node in nodes(runner.plan) if node.make is not None}


def truths(folder: Path, **access: Any) -> Path:
    return write_truths(folder, {"fed": feedback(training=SHORT), **access})


def test_what_is_asked_for_by_the_same_names_is_planned_once(tmp_path: Path) -> None:
    plan = runner_of(write_experiment(tmp_path)).plan
    assert plan.predictions("both", "places") is plan.predictions("both", "places")
    assert plan.predictions("both", "places") is not plan.predictions("bm25", "places")
    assert plan.model("bm25", "places") is plan.model("bm25", "places")
    assert plan.predictor("predictor") is plan.predictor("predictor")
    untrained = plan.predictor("predictor", trained=False)
    assert untrained is plan.predictor("predictor", trained=False)
    other = runner_of(write_experiment(tmp_path)).plan
    assert other.model("bm25", "places") is not plan.model("bm25", "places")


def test_python_and_yaml_give_the_same_keys(tmp_path: Path) -> None:
    written = runner_of(write_experiment(tmp_path))
    task = Jsonl(
        "places",
        {split: str(tmp_path / f"{split}.jsonl") for split in ("train", "dev")},
        knowledge_source=str(tmp_path / "pages.jsonl"),
    )
    experiment = Experiment(
        tasks=[task],
        access={
            "bm25": Access(BM25()),
            "flat": Access(BM25(b=0)),
            "both": Access(fuse=["bm25", "flat"]),
            "closed_book": Access(),
        },
        predictor=FirstWords,
        train_on=TrainOn("both"),
        training=Training(steps=12, batch_size=2, rate=0.3, warmup=0, check_every=6),
        reading=Reading(k=2, depth=4, words=40),
        name="small",
        seed=7,
    )
    made = Runner(experiment, tmp_path / "home", Console(quiet=True))
    assert keys(made) == keys(written)
    assert made.folder == written.folder
    other = Runner(replace(experiment, predictor=functools.partial(FirstWords, words=2)), tmp_path / "home", Console())
    assert keys(other) != keys(written)


def test_the_prefix_of_the_tasks_changes_what_an_untrained_predictor_says(tmp_path: Path) -> None:
    access = {"untrained": feedback(untrained=True, training=SHORT)}
    plain, prefixed = (
        runner_of(truths(tmp_path, **access), "--train_on.prefix", prefix) for prefix in ("false", "true")
    )
    changed = {name for name, key in keys(prefixed).items() if keys(plain)[name] != key}
    assert {"teach untrained", "predict things with untrained"} < changed
    assert any(name.startswith("hear the untrained predictor") for name in changed)
    assert "index dense" not in changed


def test_other_weights_in_a_local_folder_change_hits_and_predictions(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "model.safetensors").write_bytes(b"one")
    dense = {"class_path": "reml.retrievers.dense.Dense", "init_args": {"model": str(model)}}
    config = write_experiment(tmp_path, access={"dense": {"retriever": dense}}, train_on=None)
    before = keys(runner_of(config))
    (model / "model.safetensors").write_bytes(b"other")
    after = keys(runner_of(config))
    assert {name for name in before if before[name] != after[name]} == {
        "index dense",
        "retrieve with dense for places dev",
        "predict places with dense",
    }


def test_a_version_changes_all_that_the_class_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_experiment(tmp_path)
    before = keys(runner_of(config))
    monkeypatch.setattr(BM25, "version", BM25.version + 1)
    after = keys(runner_of(config))
    unchanged = {name for name in before if before[name] == after[name]}
    assert unchanged == {"prepare the collection"}, "the predictor is trained on what BM25 finds"


def test_signals_are_asked_for_by_name(tmp_path: Path) -> None:
    runner = runner_of(truths(tmp_path))
    (heard,) = [node for node in nodes(runner.plan) if node.kind == "signals"]
    assert Pdist().needs == Signal.ITEM_LIKELIHOOD
    assert isinstance(heard.settings, dict)
    assert heard.settings["signals"] == ["ITEM_LIKELIHOOD"]


def test_a_plan_is_printed_and_makes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = truths(tmp_path), tmp_path / "home"
    given = ["--config", str(config), "--home", str(home), "--trusted_packages", "tests"]
    assert main(["run", *given, "--plan"]) == 0
    shown = capsys.readouterr().out
    assert not home.exists()
    for name, key in keys(runner_of(config)).items():
        (row,) = [line for line in shown.splitlines() if key in line]
        assert name in row
        assert " no " in f"{row} "
    assert main(["index", *given]) == 0
    capsys.readouterr()
    assert main(["run", *given, "--plan"]) == 0
    (row,) = [line for line in capsys.readouterr().out.splitlines() if " indexes " in line]
    assert " yes " in row


def test_an_access_model_that_learnt_from_feedback_has_costs(tmp_path: Path) -> None:
    runner = runner_of(truths(tmp_path))
    costs = costs_of(runner, "fed", "things")
    parts = parts_of(runner.plan.predictions("fed", "things"), runner.stages)
    assert {stage.name for stage in parts.learnt} > {"teach fed", "train the predictor", "begin dense"}
    assert [stage.name for stage in parts.indexed] == ["index dense"]
    assert [stage.name for stage in parts.retrieved] == ["retrieve with fed for things dev"]
    assert costs.train > runner.taught("fed", "things").seconds > 0
    assert costs.index_bytes > 0
    assert costs.retrieve > 0


def test_a_circle_is_named_in_full(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = truths(tmp_path, second=feedback(candidates="third"), third=feedback(candidates="second"))
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "taught by itself (second -> third -> second)" in told


def test_a_home_of_the_former_layout_is_spoken_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = write_experiment(tmp_path), tmp_path / "home"
    old = home / "heard" / "hear-0" / "manifest.json"
    old.parent.mkdir(parents=True)
    old.write_text("{}")
    told = []
    for command in ("prepare", "index"):
        assert main([command, "--config", str(config), "--home", str(home)]) == 0
        told.append("stages of a former version" in " ".join(capsys.readouterr().out.split()))
    assert told == [True, False]
    assert old.is_file()
