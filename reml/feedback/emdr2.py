"""`emdr2`: end-to-end training of multi-document reader and retriever.

    L = -log sum_k p(z_k | x) SG[p(y | x, z_k)]                                      the paper, `Emdr2`
    L = -1/T sum_t log sum_k p(z_k | x) SG[p(y_t | y_<t, x, z_k)]                    the public code, `Emdr2PerToken`

    p(z_k | x) = softmax_k(s_k / temperature), SG stops the gradient

Sachan et al., "End-to-End Training of Multi-Document Reader and Retriever for Open-Domain Question Answering", NeurIPS
2021, equation 5. With latent z, the gradient to the scores is prior minus posterior: p(z | x) - p(z | x, y). The
reader's own term, log p(y | x, z_1..K), is the predictor's loss and is added by the training regime.

The two forms differ for answers of more than one token: the first has one posterior over items for the whole answer,
the second one for each token, so that an item may be credited for the easy half of an answer it does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import (
    item_log_likelihood,
    masked_log_softmax,
    token_log_likelihood,
    where_any_item,
)
from reml.feedback.marginal import marginal_loss
from reml.feedback.tempered import Tempered


def emdr2_loss(scores: Tensor, log_likelihood: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the paper's retriever loss of each example, [B]; scores, log p(y | x, z_k), mask: [B, K]."""
    return marginal_loss(scores, log_likelihood.detach(), mask, temperature)


def emdr2_per_token_loss(
    scores: Tensor, log_likelihood: Tensor, *, mask: Tensor, target_mask: Tensor, temperature: float = 1.0
) -> Tensor:
    """Compute the public code's loss of each example, [B]; likelihoods [B, K, T], mask [B, K], target_mask [B, T]."""
    log_prior = masked_log_softmax(scores, mask, temperature)
    shown = mask[:, :, None] & target_mask[:, None, :]
    likelihood = log_likelihood.detach().to(log_prior.dtype).masked_fill(~shown, 0.0)
    marginal = torch.logsumexp(log_prior[:, :, None] + likelihood, dim=1)  # [B, K, T] -> [B, T]
    total = marginal.masked_fill(~target_mask, 0.0).sum(dim=-1)
    return where_any_item(-total / target_mask.sum(dim=-1).clamp(min=1), mask)


@checked()
@dataclass(frozen=True)
class Emdr2(Tempered):
    """Train the retriever towards the items that make the whole answer likely."""

    @property
    def needs(self) -> Signal:
        """The likelihood of the answer given each item."""
        return Signal.ITEM_LIKELIHOOD

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]."""
        return emdr2_loss(scores, item_log_likelihood(credit, mask), mask, self.temperature)


@checked()
@dataclass(frozen=True)
class Emdr2PerToken(Tempered):
    """Train the retriever towards the items that make each token of the answer likely, as the public code does."""

    @property
    def needs(self) -> Signal:
        """The likelihood of each token given each item."""
        return Signal.TOKEN_LIKELIHOOD

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]."""
        likelihood, target_mask = token_log_likelihood(credit, mask)
        return emdr2_per_token_loss(
            scores, likelihood, mask=mask, target_mask=target_mask, temperature=self.temperature
        )
