"""`score_mse`: the retriever's score of each item is to be the teacher's.

    L = mean over items i of (s_i / temperature - SG[u_i])^2

with u the teacher's scores. Ba and Caruana, "Do Deep Nets Really Need to be Deep?", NIPS 2014, section 2.2,
https://arxiv.org/abs/1312.6184 (regression on logits). Scores must be able to meet the teacher's, shift and all; where
only differences need to, choose `margin_mse`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_utility
from reml.feedback.tempered import Tempered


@checked()
@dataclass(frozen=True)
class ScoreMse(Tempered):
    """Train the retriever towards a teacher's scores."""

    @property
    def needs(self) -> Signal:
        """The teacher's scores, which a judge gives."""
        return Signal.ITEM_UTILITY

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]; zero for one without items."""
        teacher = item_utility(credit, mask).detach().masked_fill(~mask, 0.0)
        shown = scores.to(torch.promote_types(scores.dtype, torch.float32)).masked_fill(~mask, 0.0)
        error = shown / self.temperature - teacher
        return error.square().sum(dim=1) / mask.sum(dim=1).clamp(min=1)
