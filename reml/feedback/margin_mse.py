"""`margin_mse`: the retriever learns by how much a teacher prefers one item to another.

    L = mean over pairs i, j of ((s_i - s_j) / temperature - SG[u_i - u_j])^2

with u the teacher's scores. Hofstaetter, Althammer, Schroeder, Sertkan and Hanbury, "Improving Efficient Neural Ranking
Models with Cross-Architecture Knowledge Distillation", 2020, section 3.1, https://arxiv.org/abs/2010.02666.

Deviation: there, a pair is a relevant and a sampled passage; here, all pairs of the K items are taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_utility
from reml.feedback.tempered import Tempered


def margin_mse_loss(scores: Tensor, teacher: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the loss of each example, [B]; scores, the teacher's scores, mask: [B, K]. Fewer than 2 items: zero."""
    dtype = torch.promote_types(scores.dtype, torch.float32)
    scaled = scores.to(dtype).masked_fill(~mask, 0.0) / temperature
    error = scaled - teacher.detach().to(dtype).masked_fill(~mask, 0.0)
    pairs = (mask[:, :, None] & mask[:, None, :]).triu(diagonal=1)
    squares = (error[:, :, None] - error[:, None, :]).square().masked_fill(~pairs, 0.0)  # [B, K, K]
    return squares.sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)).clamp(min=1)


@checked()
@dataclass(frozen=True)
class MarginMse(Tempered):
    """Train the retriever towards a teacher's differences between items.

    temperature: what the retriever's scores are divided by, so that their range can meet the teacher's (a cosine lies
    in [-1, 1]).
    """

    @property
    def needs(self) -> Signal:
        """The teacher's scores, which a judge gives."""
        return Signal.ITEM_UTILITY

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]."""
        return margin_mse_loss(scores, item_utility(credit, mask), mask, self.temperature)
