"""`marginal`: the answer's likelihood summed over the items that could have been retrieved.

    L = -log sum_k p(z_k | x) p(y | x, z_k)        p(z_k | x) = softmax_k(s_k / temperature)

Guu et al., "REALM: Retrieval-Augmented Language Model Pre-Training", ICML 2020, equation 1, with the sum cut to the K
items retrieved; Lewis et al., "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks", NeurIPS 2020, calls
it RAG-sequence. The gradient goes to the retriever and to the predictor.

With `null_score` the sum has one term more, REALM's null document: the answer may need no item, and those that say less
of it than the predictor knows by itself then have their scores lowered towards the null's.

Deviations: REALM embeds an empty document, so that its score is learnt for each query; here the score is given, one for
all, and the likelihood without an item has no gradient. REALM's public code takes the sum for each masked token; here,
as in the papers, y is the whole answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import (
    check_finite,
    item_log_likelihood,
    masked_log_softmax,
    null_log_likelihood,
    where_any_item,
)
from reml.feedback.tempered import Tempered


def marginal_loss(scores: Tensor, log_likelihood: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute -log sum_k p(z_k | x) p(y | x, z_k) of each example, [B]; scores, log p(y | x, z_k), mask: [B, K].

    An example without items has loss zero.
    """
    log_prior = masked_log_softmax(scores, mask, temperature)
    joint = log_prior + log_likelihood.to(log_prior.dtype).masked_fill(~mask, 0.0)
    return where_any_item(-torch.logsumexp(joint, dim=-1), mask)


@checked()
@dataclass(frozen=True)
class Marginal(Tempered):
    """Train retriever and predictor on the marginal likelihood of the answer.

    null_score: the retrieval score of no item at all, which is then one of the items; without it there is none.
    """

    null_score: float | None = None

    @property
    def needs(self) -> Signal:
        """The likelihood of the answer given each item, and without any if that counts too."""
        return Signal.ITEM_LIKELIHOOD if self.null_score is None else Signal.ITEM_LIKELIHOOD | Signal.NULL_LIKELIHOOD

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]."""
        likelihood = item_log_likelihood(credit, mask)
        if self.null_score is not None:
            there = mask.any(dim=1, keepdim=True)
            likelihood = torch.cat([likelihood, null_log_likelihood(credit, there)], dim=1)
            scores = torch.cat([scores, scores.new_full(there.shape, self.null_score)], dim=1)
            mask = torch.cat([mask, there], dim=1)
            check_finite(scores, mask, "retrieval scores with null_score behind them")
        return marginal_loss(scores, likelihood, mask, self.temperature)
