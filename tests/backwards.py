"""A predictor that names its items in reverse, so that what it cites is not what was retrieved."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer, Provenance
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal


class Backwards(nn.Module):
    """Answers with the title of the first item and cites the last one first."""

    signals = Signal.NONE

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Learn nothing."""
        raise NotImplementedError

    def generate(self, batch: Batch) -> list[Answer]:
        """Give an answer for each example."""
        return [
            Answer(items[0].title if items else "", tuple(map(Provenance.of, reversed(items))))
            for items in batch.read.items
        ]
