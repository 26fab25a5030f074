"""What a training asks live is opened in its midst, and draws random numbers: the training draws what it would have."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import torch

from reml.cli.loading import load
from reml.contract.collections import Collection
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Retriever
from reml.contract.signals import Prediction, Signal
from reml.experiment.runner import Runner
from reml.retrievers.bm25 import BM25
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment


class Drawing:
    """BM25 that draws when it is opened, as making an encoder does."""

    def index(self, collection: Collection, folder: Path) -> Retriever:
        torch.manual_seed(3)
        np.random.seed(3)  # noqa: NPY002 - what is disturbed is the global state
        return BM25().index(collection, folder)


class Noisy(FirstWords):
    """Asks live in each loss, which has noise of two generators."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        for session in batch.sessions.values():
            session.ask(Queries.of_inputs(batch.examples), 1)
        noise = torch.rand(()) + float(np.random.rand())  # noqa: NPY002
        return Prediction(super().loss(batch, signals).loss * noise)


def runner_of(folder: Path) -> Runner:
    config = write_experiment(
        folder,
        access={"drawing": {"retriever": {"class_path": "tests.experiment.plan.test_opened_later.Drawing"}}},
        predictor={"class_path": "tests.experiment.plan.test_opened_later.Noisy"},
        train_on={"access": "drawing"},
    )
    return load("run", ["--config", str(config), "--home", str(folder / "home")])[0]


def learnt(runner: Runner) -> float:
    predictor = runner.stages.open(runner.plan.predictor("predictor")).on({})
    assert isinstance(predictor, Noisy)
    return predictor.words.item()


def test_a_training_is_the_same_whether_what_it_asks_was_open_or_not(tmp_path: Path) -> None:
    before = runner_of(tmp_path)
    before.stages.open(before.plan.model("drawing", "places"))
    first = learnt(before)
    (trained,) = (stage for stage in before.stages.done.values() if stage.name.startswith("train the predictor"))
    shutil.rmtree(trained.folder)
    assert learnt(runner_of(tmp_path)) == first
