"""`cldrd`: pairs of items are ordered as a teacher orders them, above all at the top of the list.

    L = mean over pairs i, j with u_i > u_j of |1 / r_i - 1 / r_j| log(1 + exp(-(s_i - s_j) / temperature))

with u the utilities, labels of groups of a teacher's list (`reml.training.data.curriculum`), and r the ranks that the
retriever itself gives the K items, 1 for the largest score. Zeng, Zamani and Vinay, "Curriculum Learning for Dense
Retrieval Distillation", SIGIR 2022, https://arxiv.org/abs/2204.13679; LambdaRank with the weights of MRR.

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
from reml.feedback.pairs import differences, mean_of_pairs, ordered, ranks
from reml.feedback.tempered import Tempered


def cldrd_loss(scores: Tensor, utility: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the loss of each example, [B]; scores, utility, mask: [B, K]. No pair that differs: zero."""
    reciprocal = 1 / ranks(scores, mask).to(torch.promote_types(scores.dtype, torch.float32))
    weights = (reciprocal[:, :, None] - reciprocal[:, None, :]).abs()  # [B, K, K]
    losses = weights * functional.softplus(-differences(scores, mask) / temperature)
    return mean_of_pairs(losses, ordered(utility, mask))


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
