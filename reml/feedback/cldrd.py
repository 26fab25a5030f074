"""`cldrd`: pairs of items are ordered as a teacher orders them, above all at the top of the list.

    L = mean over pairs i, j with u_i > u_j of |1 / r_i - 1 / r_j| log(1 + exp(-(s_i - s_j) / temperature))

with u the utilities, labels of groups of a teacher's list (`reml.training.data.curriculum`), and r the ranks that the
retriever
itself gives the K items, 1 for the largest score. Zeng, Zamani and Vinay, "Curriculum Learning for Dense Retrieval
Distillation", SIGIR 2022, https://arxiv.org/abs/2204.13679; LambdaRank with the weights of MRR.

Deviations: the mean is over the pairs of an example and then over examples, where the public code takes one mean over
all pairs of a batch (the same where all examples have as many pairs). The temperature is ours; theirs is 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_utility
from reml.feedback.tempered import Tempered


def cldrd_loss(scores: Tensor, utility: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the loss of each example, [B]; scores, utility, mask: [B, K]. No pair that differs: zero."""
    shown = scores.to(torch.promote_types(scores.dtype, torch.float32)).masked_fill(~mask, 0.0) / temperature
    reciprocal = 1 / _ranks(scores, mask).to(shown.dtype)
    weights = (reciprocal[:, :, None] - reciprocal[:, None, :]).abs()  # [B, K, K]
    pairs = (utility[:, :, None] > utility[:, None, :]) & mask[:, :, None] & mask[:, None, :]
    losses = weights * functional.softplus(shown[:, None, :] - shown[:, :, None])
    return losses.masked_fill(~pairs, 0.0).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)).clamp(min=1)


@checked()
@dataclass(frozen=True)
class Cldrd(Tempered):
    """Train the retriever towards a teacher's order of groups of items, above all at the top of its own list.

    temperature: what the differences of scores are divided by; a cosine needs one far below 1.
    """

    @property
    def needs(self) -> Signal:
        """Which item is better: the labels of groups, or a teacher's scores."""
        return Signal.ITEM_UTILITY

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for utilities that are not finite."""
        return cldrd_loss(scores, item_utility(credit, mask), mask, self.temperature)


def _ranks(scores: Tensor, mask: Tensor) -> Tensor:
    """Give the place of each item among its example's by score, from 1, ties as they come, [B, K]; no gradient."""
    order = scores.detach().masked_fill(~mask, -torch.inf).argsort(dim=1, descending=True, stable=True)
    return order.argsort(dim=1) + 1
