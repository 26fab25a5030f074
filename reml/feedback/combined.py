"""Several objectives at once, each with a weight.

L = sum_i w_i L_i
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal


@checked()
@dataclass(frozen=True)
class Combined:
    """Train the retriever on the weighted sum of objectives; weights are 1 unless given, one for each objective."""

    objectives: Sequence[Feedback]
    weights: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not self.objectives:
            raise ValueError("there are no objectives to combine: give at least one.")
        if self.weights is not None and len(self.weights) != len(self.objectives):
            raise ValueError(f"{len(self.objectives)} objectives but {len(self.weights)} weights: give one for each.")
        if not all(math.isfinite(weight) and weight > 0 for weight in self.weights or ()):
            raise ValueError(f"weights must be positive and finite, not {list(self.weights or ())}.")

    @property
    def needs(self) -> Signal:
        """All that any of them needs."""
        return functools.reduce(operator.or_, (objective.needs for objective in self.objectives))

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        """Give the weighted sum of the losses of each example, [B]."""
        weights = self.weights if self.weights is not None else [1.0] * len(self.objectives)
        losses = [objective(responses, credit, others) for objective in self.objectives]
        return torch.stack([weight * loss for weight, loss in zip(weights, losses, strict=True)]).sum(dim=0)
