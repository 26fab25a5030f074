"""How a configuration names a predictor."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from torch import nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.predictors import Batch, Predictor
from reml.contract.signals import Prediction, Signal

# The type of a predictor's argument that names the access model it writes to: an experiment looks whether that stores.
MemoryName = Annotated[str, "the name of an access model that stores"]


class PredictorModule(nn.Module, abc.ABC):
    """Any module that is a `Predictor`, for configurations: as `nn.Module`, jsonargparse would offer all of torch's."""

    @property
    @abc.abstractmethod
    def signals(self) -> Signal:
        """All that its loss can give beside the loss."""

    @abc.abstractmethod
    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Compute once, into `folder`, what is needed of each item."""

    @abc.abstractmethod
    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Score the right answers given the responses."""

    @abc.abstractmethod
    def generate(self, batch: Batch) -> list[Answer]:
        """Predict one answer for each example."""

    @classmethod
    def __subclasshook__(cls, other: type) -> bool:
        """Tell whether a class is a module that has what `Predictor` asks for."""
        names = {name for base in other.__mro__ for name in vars(base)}
        return nn.Module in other.__mro__ and {"signals", "prepare", "loss", "generate"} <= names


if TYPE_CHECKING:  # a class that has the methods is one, and no checker knows it
    PredictorMaker = Callable[[], Predictor]
else:
    PredictorMaker = Callable[[], PredictorModule]
