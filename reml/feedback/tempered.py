"""What objectives share that divide retrieval scores by a temperature: checks, once for all."""

from __future__ import annotations

import abc
from dataclasses import dataclass

from torch import Tensor

from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.feedback.distributions import check_temperature, distillation, retrieval_scores


@dataclass(frozen=True)
class Tempered(abc.ABC):
    """A `Feedback` with a temperature; an objective implements `needs` and `loss`.

    temperature: what the scores are divided by, beside the temperature of the access model.
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    @abc.abstractmethod
    def needs(self) -> Signal:
        """What it asks for, beside the scores."""

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:  # noqa: ARG002
        """Give the loss of each example, [B]; `ValueError` for what is missing, or not finite where the mask shows."""
        return self.loss(retrieval_scores(responses), responses.mask, credit)

    @abc.abstractmethod
    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
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

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:  # noqa: ARG002
        """Give the loss of each example, [B]; `ValueError` for what is missing, or not finite where the mask shows."""
        scores, mask = retrieval_scores(responses), responses.mask
        return distillation(
            scores,
            self.target(credit, mask),
            mask=mask,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )

    @abc.abstractmethod
    def target(self, credit: Credit, mask: Tensor) -> Tensor:
        """Give what is imitated, [B, K], finite where the mask is true: larger for a better item."""
