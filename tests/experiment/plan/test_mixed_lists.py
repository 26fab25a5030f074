"""A predictor that learns to read the lists of several access models, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from reml.cli.loading import load
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from tests.first_words import FirstWords
from tests.small_experiment import write_experiment

STEPS, BATCH = 12, 2


class Counting(FirstWords):
    """Counts the examples it learns from, by how many items each is read with; batches have one access model."""

    counts: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("counts", torch.zeros(6, dtype=torch.int64))

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        assert len(batch.sessions) <= 1
        self.counts += torch.bincount(batch.read.mask.sum(1), minlength=6)
        return super().loss(batch, signals)


def counts(folder: Path, train_on: Mapping[str, Any]) -> list[int]:
    """Train, and give how many examples were read with so many items."""
    config = write_experiment(
        folder,
        predictor={"class_path": "tests.experiment.plan.test_mixed_lists.Counting"},
        train_on=train_on,
        training={"steps": STEPS, "batch_size": BATCH, "rate": 0.3, "warmup": 0.0, "check_every": STEPS},
    )
    runner = load("run", ["--config", str(config), "--home", str(folder / "home")])[0]
    predictor = runner.stages.open(runner.plan.predictor("predictor")).on({})
    assert isinstance(predictor, Counting)
    return list(predictor.counts.tolist())


def test_each_example_is_read_once_an_epoch_with_the_list_of_each(tmp_path: Path) -> None:
    half = STEPS * BATCH // 2
    assert counts(tmp_path, {"access": ["bm25", "closed_book"], "mixed": True}) == [half, half, 0, 0, 0, 0]


def test_an_example_is_left_out_where_its_own_list_has_no_evidence(tmp_path: Path) -> None:
    train_on = {"access": ["bm25", "closed_book"], "mixed": True, "relevant": True}
    assert counts(tmp_path, train_on) == [0, STEPS * BATCH, 0, 0, 0, 0]


@pytest.mark.parametrize("name", ["bm25", "both"])
def test_of_one_access_model_mixed_changes_nothing(tmp_path: Path, name: str) -> None:
    assert counts(tmp_path / "mixed", {"access": name, "mixed": True}) == counts(tmp_path / "plain", {"access": name})
