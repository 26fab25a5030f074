"""The title of the best item as the answer: entity linking by retrieval alone, and a way to measure only retrievers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import final

import torch
from torch import nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal


@final
class FirstTitle(nn.Module):
    """Answers with the title of the first item; there is nothing to train."""

    signals = Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Do nothing: titles come with the items."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give 1 where the title is no right answer and 0 where it is, [B], without gradient."""
        if signals:
            raise ValueError(f"FirstTitle says nothing of its items, so not {signals}: choose another predictor.")
        answers = self.generate(batch)
        wrong = [answer.text not in example.answers for example, answer in zip(batch.examples, answers, strict=True)]
        return Prediction(loss=torch.tensor(wrong, dtype=torch.float32))

    def generate(self, batch: Batch) -> list[Answer]:
        """Give the title of the first item, empty without items; provenance is all items in their order."""
        return [
            Answer(items[0].title if items else "", tuple(Provenance.of(item) for item in items))
            for items in batch.read.items
        ]
