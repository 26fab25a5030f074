"""A predictor of small experiments that fails on its second seed, as long as a folder is there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal


class FailsOnce(nn.Module):
    """Answers with one word of the first item, or under an odd seed with two.

    trap: a folder (a file would be part of keys); while it is there, all but the first of these that are made refuse
    to answer: those of the first seed, one for each access model, as both tasks have the same examples.
    """

    made, first = 0, 2

    def __init__(self, trap: str) -> None:
        super().__init__()
        FailsOnce.made += 1
        self.words = nn.Parameter(torch.tensor(1.0 + torch.initial_seed() % 2))
        self.trap, self.number = Path(trap), FailsOnce.made

    @property
    def signals(self) -> Signal:
        return Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return Prediction(self.words.expand(len(batch.examples)))

    def generate(self, batch: Batch) -> list[Answer]:
        if self.trap.exists() and self.number > self.first:
            raise RuntimeError("the machine fails")
        words = round(self.words.item())
        return [
            Answer(" ".join(items[0].text.split()[:words]), (Provenance.of(items[0]),)) if items else Answer("")
            for items in batch.read.items
        ]
