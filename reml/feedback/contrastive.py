"""`contrastive`: a relevant item should score higher than all that are not.

    L = mean over relevant i of -log(e_i / (e_i + sum over negative j of e_j))        e_i = exp(s_i / temperature)

Negatives are the items that are not relevant and, with `in_batch`, those of the other examples.
Karpukhin et al., "Dense Passage Retrieval for Open-Domain Question Answering", EMNLP 2020, section 3.2,
https://arxiv.org/abs/2004.04906; the loss is InfoNCE, van den Oord et al., 2018, https://arxiv.org/abs/1807.03748.

Deviations: any number of relevant items, each against all negatives and never against each other. An item of another
example that the judge finds relevant here as well is no negative. Without a relevant item, or without a negative, an
example teaches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.feedback.distributions import check_finite, check_temperature, item_utility, missing


def contrastive_loss(scores: Tensor, relevant: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the loss of each example, [B]; scores, relevant (bool), mask: [B, K]."""
    scores = scores.to(torch.promote_types(scores.dtype, torch.float32)) / temperature
    positive, negative = relevant & mask, ~relevant & mask
    lowest = torch.finfo(scores.dtype).min / 4
    against = torch.logsumexp(scores.masked_fill(~negative, lowest), dim=-1, keepdim=True)
    losses = functional.softplus(against - scores.masked_fill(~positive, 0.0)).masked_fill(~positive, 0.0)
    loss = losses.sum(dim=-1) / positive.sum(dim=-1).clamp(min=1)
    return torch.where(negative.any(dim=-1), loss, torch.zeros_like(loss))


@checked()
@dataclass(frozen=True)
class Contrastive:
    """Train the retriever to tell relevant items from others: those retrieved, and with `in_batch` the other examples'.

    relevant_from: the utility from which on an item is relevant; without it, only the most useful one of each example
    is, as suits a teacher's scores.
    """

    temperature: float = 1.0
    in_batch: bool = True
    relevant_from: float | None = 0.5

    def __post_init__(self) -> None:
        check_temperature(self.temperature)

    @property
    def needs(self) -> Signal:
        """The utility of each item, which a judge gives; and the other examples' items, which the regime gives."""
        return Signal.ITEM_UTILITY | Signal.IN_BATCH if self.in_batch else Signal.ITEM_UTILITY

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for scores or utilities that are not finite."""
        scores, mask = responses.scores / responses.temperature, responses.mask
        utility = item_utility(credit, mask)
        least = self._least(utility, mask)
        if self.in_batch:
            if others is None:
                raise missing(Signal.IN_BATCH)
            # Their relevant items are neither: the query was not made for them.
            there = others.mask & (others.utility < least)
            scores, mask = (
                torch.cat([scores, others.scores / responses.temperature], dim=1),
                torch.cat([mask, there], dim=1),
            )
            utility = torch.cat([utility, others.utility], dim=1)
        check_finite(scores, mask, "retrieval scores")
        return contrastive_loss(scores, utility >= least, mask, self.temperature)

    def _least(self, utility: Tensor, mask: Tensor) -> Tensor:
        """Give the utility that an item needs to be relevant, [B, 1]."""
        if self.relevant_from is None:
            return utility.masked_fill(~mask, -torch.inf).amax(dim=1, keepdim=True)
        return utility.new_full((len(utility), 1), self.relevant_from)
