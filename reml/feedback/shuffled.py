"""`shuffled`: a control, any objective with each item's feedback given to another item of the same example.

What an objective gains with it is no gain from feedback: the predictor's say has the same values, on the wrong items.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.objective import Objective
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal


def shuffle(mask: Tensor) -> Tensor:
    """Draw places [B, K] at random: those where the mask is true change among each other, the others stay."""
    drawn = torch.rand(mask.shape).to(mask.device)
    order = drawn.masked_fill(~mask, 2.0).argsort(dim=1)  # the places that count, in random order, then the others
    places = (~mask).to(torch.int8).argsort(dim=1, stable=True)  # the places that count, in order, then the others
    count = mask.sum(dim=1, keepdim=True)
    position = torch.arange(mask.shape[1], device=mask.device)
    return torch.zeros_like(places).scatter(1, places, torch.where(position < count, order, places))


@checked()
@dataclass(frozen=True)
class Shuffled:
    """Train the retriever by an objective whose feedback is mixed up, anew at every step."""

    objective: Objective

    @property
    def needs(self) -> Signal:
        """What the objective needs."""
        return self.objective.needs

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        """Give the loss of each example, [B]: the scores change places, what is said of the items stays."""
        moved = replace(responses, scores=responses.scores.gather(1, shuffle(responses.mask)))
        return self.objective(moved, credit, others)
