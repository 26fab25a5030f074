"""`marginal_token`: each token of the answer may come from another item.

    L = -sum_t log sum_k p(z_k | x) p(y_t | y_<t, x, z_k)        p(z_k | x) = softmax_k(s_k / temperature)

RAG-token of Lewis et al., "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks", NeurIPS 2020, section
2.1, https://arxiv.org/abs/2005.11401. The gradient goes to the retriever and to the predictor. For an answer of one
token it is `marginal`; for a longer one the items are drawn anew at each token, so that none has to hold all of it.

Deviations: none. (`Emdr2PerToken` has the same sum, but as a mean over tokens and for the retriever alone.)
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import (
    masked_log_softmax,
    token_log_likelihood,
    where_any_item,
)
from reml.feedback.tempered import Tempered


def marginal_token_loss(
    scores: Tensor, log_likelihood: Tensor, *, mask: Tensor, target_mask: Tensor, temperature: float = 1.0
) -> Tensor:
    """Compute the loss of each example, [B]; log p(y_t | x, z_k) [B, K, T], scores and mask [B, K], target_mask [B, T].

    An example without items has loss zero.
    """
    log_prior = masked_log_softmax(scores, mask, temperature)
    shown = mask[:, :, None] & target_mask[:, None, :]
    joint = log_prior[:, :, None] + log_likelihood.to(log_prior.dtype).masked_fill(~shown, 0.0)
    marginal = torch.logsumexp(joint, dim=1)  # [B, K, T] -> [B, T]
    return where_any_item(-marginal.masked_fill(~target_mask, 0.0).sum(dim=-1), mask)


@checked()
@dataclass(frozen=True)
class MarginalToken(Tempered):
    """Train retriever and predictor on the likelihood of the answer, marginal over items at each token."""

    @property
    def needs(self) -> Signal:
        """The likelihood of each token given each item."""
        return Signal.TOKEN_LIKELIHOOD

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]."""
        likelihood, target_mask = token_log_likelihood(credit, mask)
        return marginal_token_loss(scores, likelihood, mask=mask, target_mask=target_mask, temperature=self.temperature)
