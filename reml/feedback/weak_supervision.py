"""`rank` and `rank_prob`: pairs of items are ordered as a teacher's scores, or labels, order them.

    rank       L = mean over pairs i, j with u_i > u_j of max(0, margin - (s_i - s_j))
    rank_prob  L = mean over the same pairs of the cross-entropy of sigmoid(s_i - s_j) to P = u_i / (u_i + u_j)

with u the utilities: the scores of a teacher such as BM25 (weak supervision, no labels), or 1 and 0 from labels.
Dehghani, Zamani, Severyn, Kamps and Croft, "Neural Ranking Models with Weak Supervision", SIGIR 2017, section 3,
https://arxiv.org/abs/1704.08803. SNRM (CIKM 2018) trains with `rank`, margin 1.

Deviations: there, an example is one pair; here, all pairs of its K items that differ in utility are taken.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.feedback.distributions import item_utility, retrieval_scores
from reml.feedback.pairs import differences, mean_of_pairs, ordered


def rank_loss(scores: Tensor, utility: Tensor, mask: Tensor, margin: float = 1.0) -> Tensor:
    """Compute the pairwise hinge of each example, [B]; scores, utility, mask: [B, K]. No pair that differs: zero."""
    return mean_of_pairs(torch.relu(margin - differences(scores, mask)), ordered(utility, mask))


def rank_prob_loss(scores: Tensor, utility: Tensor, mask: Tensor) -> Tensor:
    """Compute the cross-entropy of each example, [B]; scores, utility (0 or more), mask: [B, K]."""
    difference, pairs = differences(scores, mask), ordered(utility, mask)
    known = utility.detach().to(difference.dtype).masked_fill(~mask, 0.0)
    total = (known[:, :, None] + known[:, None, :]).masked_fill(~pairs, 1.0)
    target = (known[:, :, None] / total).masked_fill(~pairs, 0.0)  # [B, K, K]
    return mean_of_pairs(functional.binary_cross_entropy_with_logits(difference, target, reduction="none"), pairs)


@checked()
@dataclass(frozen=True)
class Rank:
    """Train the retriever to score the better item of a pair higher by a margin."""

    margin: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.margin < math.inf:
            raise ValueError(f"margin is {self.margin}, but must be positive: SNRM takes 1.")

    @property
    def needs(self) -> Signal:
        """Which item is better: a teacher's scores, or labels."""
        return Signal.ITEM_UTILITY

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:  # noqa: ARG002
        """Give the loss of each example, [B]; `ValueError` for scores or utilities that are not finite."""
        scores, mask = retrieval_scores(responses), responses.mask
        return rank_loss(scores, item_utility(credit, mask), mask, self.margin)


@checked()
@dataclass(frozen=True)
class RankProb:
    """Train the retriever towards how sure a teacher is of the order of a pair."""

    @property
    def needs(self) -> Signal:
        """A teacher's scores, 0 or more, or labels."""
        return Signal.ITEM_UTILITY

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:  # noqa: ARG002
        """Give the loss of each example, [B]; `ValueError` for values that are not finite, or utilities below 0."""
        scores, mask = retrieval_scores(responses), responses.mask
        utility = item_utility(credit, mask)
        if bool((utility.masked_fill(~mask, 0.0) < 0).any()):
            raise ValueError(
                "rank_prob takes utilities of 0 or more, as BM25 or labels give them: choose `Rank`, which needs only "
                "their order."
            )
        return rank_prob_loss(scores, utility, mask)
