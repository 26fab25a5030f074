"""A predictor that is trained in phases, each a stage of its own that begins where the one before ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reml.cli.loading import load
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.experiment.runner import Runner
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment

PREDICTOR = {"class_path": "tests.experiment.plan.test_phases.TwoParts"}
# A rate so small that a phase ends near where it began.
FIRST, SLOW, FROZEN = {"access": "bm25"}, {"rate": 1e-3, "steps": 4}, {"rates": {"predictor.words": 0.0}}


class TwoParts(FirstWords):
    """Has a second part, which learns a number of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.more = nn.Parameter(torch.tensor(0.0))

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return Prediction(super().loss(batch, signals).loss + (self.more - 9) ** 2)


def runner_of(folder: Path, *phases: dict[str, Any]) -> Runner:
    config = write_experiment(folder, predictor=PREDICTOR, train_on={"access": "both", "phases": [*phases]})
    return load("run", ["--config", str(config), "--home", str(folder / "home")])[0]


def learnt(runner: Runner) -> list[float]:
    """Give the two parts of the trained predictor."""
    predictor = runner.stages.open(runner.plan.predictor("predictor")).on({})
    assert isinstance(predictor, TwoParts)
    return [predictor.words.item(), predictor.more.item()]


def test_a_phase_begins_with_the_weights_of_the_one_before_and_may_freeze_parts(tmp_path: Path) -> None:
    first = runner_of(tmp_path / "one", FIRST)
    after_first = learnt(first)
    runner = runner_of(tmp_path / "two", FIRST, {**SLOW, **FROZEN})
    after = learnt(runner)
    stages = [name for name in runner.stages.done if name.startswith("train the predictor")]
    assert stages == ["train the predictor in phase 1", "train the predictor in phase 2"]
    assert "retrieve with bm25 for places train" in runner.stages.done, "the first phase reads what bm25 finds"
    assert after[0] == after_first[0], "frozen, and not as it comes"
    assert 0 < abs(after[1] - after_first[1]) < 0.05, "small steps from there"


def test_a_phase_that_changes_nothing_is_training_without_phases(tmp_path: Path) -> None:
    assert learnt(runner_of(tmp_path / "one", {"access": "both"})) == learnt(runner_of(tmp_path / "plain"))


def test_another_later_phase_leaves_the_earlier_ones_made(tmp_path: Path) -> None:
    runner_of(tmp_path, FIRST, SLOW).train()
    again = runner_of(tmp_path, FIRST, FROZEN)
    again.train()
    cached = {name: stage.cached for name, stage in again.stages.done.items() if name.startswith("train")}
    assert cached == {"train the predictor in phase 1": True, "train the predictor in phase 2": False}


def test_a_phase_of_unknown_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"phases.*step"):
        runner_of(tmp_path, {"step": 3})
