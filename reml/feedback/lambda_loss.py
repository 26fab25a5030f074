"""`lambda_loss`: pairs of items are ordered as gains order them, weighted by a tight bound of what nDCG loses.

    L = sum over pairs i, j with y_i > y_j of delta_ij |G_i - G_j| log2(1 + exp(-(s_i - s_j) / temperature))
    delta_ij = |1 / D(|r_i - r_j|) - 1 / D(|r_i - r_j| + 1)|,   D(r) = log2(1 + r),   G_i = (2^y_i - 1) / maxDCG

with r the ranks that the retriever itself gives the K items, 1 for the largest score, and maxDCG the sum of
(2^y_i - 1) / D(r) in the order of the gains y. Wang, Li, Golbandi, Bendersky and Najork, "The LambdaLoss Framework for
Ranking Metric Optimization", CIKM 2018, NDCG-Loss2, https://research.google/pubs/pub47258. IDCM distils with it: the
i-th best item of a teacher has the gain n - i, counted from 0, for the best n, and all others have 0 (Hofstaetter et
al., SIGIR 2021, https://arxiv.org/abs/2105.09816).

Deviation: none but the temperature, which is ours; theirs is 1 / sigma. Ranks, the paper's hard assignment, have no
gradient.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_utility
from reml.feedback.pairs import differences, ordered, ranks
from reml.feedback.tempered import Tempered

# 2^y must leave digits for differences of gains.
LARGEST = 24.0


def lambda_loss(scores: Tensor, gains: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute NDCG-Loss2 of each example, [B]; scores, gains, mask: [B, K]. No pair that differs: zero."""
    known = gains.detach().to(torch.promote_types(scores.dtype, torch.float32)).masked_fill(~mask, 0.0)
    worth = torch.exp2(known) - 1  # [B, K]
    ideal = worth.sort(dim=1, descending=True).values / _discount(torch.arange(1, worth.shape[1] + 1).to(worth))
    share = worth / ideal.sum(dim=1, keepdim=True).clamp(min=torch.finfo(worth.dtype).tiny)
    apart = differences(ranks(scores, mask).to(worth.dtype), mask).abs()  # [B, K, K]
    weights = (1 / _discount(apart.clamp(min=1)) - 1 / _discount(apart + 1)) * differences(share, mask).abs()
    losses = weights * functional.softplus(-differences(scores, mask) / temperature) / math.log(2)
    return losses.masked_fill(~ordered(known, mask), 0.0).sum(dim=(1, 2))


def graded(utility: Tensor, mask: Tensor, top: int) -> Tensor:
    """Give gains [B, K]: `top` for the item of largest utility, one less for each further one, 0 after `top` items."""
    return (top + 1 - ranks(utility, mask)).clamp(min=0).masked_fill(~mask, 0).to(utility.dtype)


@checked()
@dataclass(frozen=True)
class LambdaLoss(Tempered):
    """Train the retriever towards the nDCG of gains, or of a teacher's best items.

    top: how many of a teacher's best items have a gain, by their order alone (IDCM's distillation); if left out,
    utilities are the gains themselves: labels from 0 to 24.
    """

    top: Count | None = None

    @property
    def needs(self) -> Signal:
        """The gains of items, or a teacher's scores."""
        return Signal.ITEM_UTILITY

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for utilities that are no gains."""
        utility = item_utility(credit, mask)
        if self.top is not None:
            return lambda_loss(scores, graded(utility, mask, self.top), mask, self.temperature)
        seen = utility.masked_fill(~mask, 0.0)
        if bool(((seen < 0) | (seen > LARGEST)).any()):
            raise ValueError(
                f"lambda_loss takes utilities from 0 to {LARGEST:.0f} as gains (2^u counts), and one is "
                f"{float(seen.min() if seen.min() < 0 else seen.max()):.6g}: set `top` for those of a teacher, of "
                "which the order alone counts then."
            )
        return lambda_loss(scores, utility, mask, self.temperature)


def _discount(places: Tensor) -> Tensor:
    return torch.log2(1 + places)
