"""What objectives share that divide retrieval scores by a temperature: checks, once for all."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from torch import Tensor

from reml.contract.signals import Prediction, Signal
from reml.feedback.distributions import check_finite, check_temperature, distillation


@dataclass(frozen=True)
class Tempered(abc.ABC):
    """A `Feedback` with a temperature; an objective implements `needs` and `loss`."""

    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    @abc.abstractmethod
    def needs(self) -> Signal:
        """What it asks for, beside the scores."""

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for what is missing, or not finite where the mask shows."""
        check_finite(scores, mask, "retrieval scores")
        return self.loss(scores, mask, prediction)

    @abc.abstractmethod
    def loss(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B]; scores are finite where the mask [B, K] is true."""


@dataclass(frozen=True)
class Distilling(abc.ABC):
    """A `Feedback` that is `distillation`; an objective implements `needs` and `target`."""

    temperature: float = 1.0
    target_temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.target_temperature, "target_temperature")

    @property
    @abc.abstractmethod
    def needs(self) -> Signal:
        """What it asks for, beside the scores."""

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for what is missing, or not finite where the mask shows."""
        check_finite(scores, mask, "retrieval scores")
        return distillation(
            scores,
            self.target(prediction, mask),
            mask=mask,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )

    @abc.abstractmethod
    def target(self, prediction: Prediction, mask: Tensor) -> Tensor:
        """Give what is imitated, [B, K], finite where the mask is true: larger for a better item."""
