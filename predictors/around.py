"""What is the same of all predictors that stand around another one: it learns, prepares and says what that one does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

from reml.contract.arguments.checked import checked
from reml.contract.asking import prediction_of
from reml.contract.collections import Collection
from reml.contract.predictor_module import PredictorMaker
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal


@checked()
class Around(nn.Module):
    """All of a predictor but `generate`. predictor: makes the one inside."""

    def __init__(self, predictor: PredictorMaker) -> None:
        super().__init__()
        self.predictor = predictor()

    @property
    def signals(self) -> Signal:
        """Those of the predictor inside."""
        return self.predictor.signals

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Let the predictor inside prepare."""
        self.predictor.prepare(collections, folder)

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Give the loss of the predictor inside, [B], and what it says of what it reads."""
        return prediction_of(self.predictor, batch, signals)
