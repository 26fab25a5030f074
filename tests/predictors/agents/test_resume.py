"""A training by reward that dies goes on to the last digit: what is drawn is drawn again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.predictors.agents.grpo import Grpo
from reml.predictors.agents.rolling import Budget
from reml.predictors.agents.search_r1 import SearchR1
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection
from reml.training.data.sets import RetrievedExamples, TrainSet
from reml.training.loop.fit import fit
from reml.training.loop.resume import newest_state
from reml.training.regimes.regimes import Independent
from reml.training.settings import Training

SETTINGS = Training(steps=7, batch_size=2, rate=1e-2, save_every=2, precision="32-true")
LETTERS = tuple(Answer(letter) for letter in "bcdefghijklmnopqrstuvwxyz")
EXAMPLES = tuple(Example(str(place), f"Letter {place}?", LETTERS) for place in range(5))


class Dying(Independent):
    """Trains until it is asked for one loss too many."""

    def __init__(self, predictor: SearchR1, losses: int) -> None:
        super().__init__(predictor)
        self.losses = losses

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        if not self.losses:
            raise RuntimeError("killed")
        self.losses -= 1
        return dict(super().forward(batch))


def train(folder: str, into: Path, wiki: InformationAccess, losses: int = 99) -> dict[str, Tensor]:
    learning = Grpo(group=6)
    predictor = SearchR1(folder, prompt="{question}", budget=Budget(turns=2, turn_tokens=2), learning=learning)
    retrieved = RetrievedExamples(EXAMPLES, {"wiki": wiki.search(EXAMPLES)}, {"wiki": wiki})
    regime = Dying(predictor, losses)
    fit(regime, TrainSet.of(retrieved), dev=(), settings=SETTINGS, folder=into)
    return {name: value.clone() for name, value in regime.state_dict().items()}


def test_a_killed_training_ends_as_an_undisturbed_one(tiny_llama: str, tmp_path: Path) -> None:
    retriever = BM25().index(MemoryCollection(["a letter", "another"]), tmp_path / "bm25")
    wiki = InformationAccess(retriever, limits=Limits(depth=2, k=1), name="wiki")
    whole = train(tiny_llama, tmp_path / "whole", wiki)
    with pytest.raises(RuntimeError, match="killed"):
        train(tiny_llama, tmp_path / "killed", wiki, losses=5)
    assert newest_state(tmp_path / "killed" / "states") is not None
    resumed = train(tiny_llama, tmp_path / "killed", wiki)
    start = SearchR1(tiny_llama).state_dict()
    assert any(not torch.equal(whole[f"predictor.{name}"], value) for name, value in start.items()), "it learnt"
    assert all(torch.equal(resumed[name], value) for name, value in whole.items())
    assert (tmp_path / "killed" / "metrics.csv").read_text() == (tmp_path / "whole" / "metrics.csv").read_text()
