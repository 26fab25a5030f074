"""`pdist`: perplexity distillation, the retriever imitates how the predictor would rank the items.

    L = KL(q || p)   q_k = softmax_k(SG[log p(y | x, z_k)] / target_temperature)   p_k = softmax_k(s_k / temperature)

Izacard et al., "Atlas: Few-shot Learning with Retrieval Augmented Language Models", JMLR 2023, section 2.2: the target
is the posterior over items under a uniform prior. The likelihood is that of the whole answer (a sum over its tokens),
one item at a time, under stop-gradient.

Deviation: Atlas' public code calls a divergence whose default is the mean over all B x K elements, so that its gradient
shrinks with K. Here it is a sum over items, as the equation says.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from reml.feedback.distributions import (
    check_finite,
    check_temperature,
    divergence,
    item_log_likelihood,
    masked_log_softmax,
)
from reml.types import Prediction, Signal


def pdist_loss(
    scores: Tensor,
    log_likelihood: Tensor,
    *,
    mask: Tensor,
    temperature: float = 1.0,
    target_temperature: float = 1.0,
) -> Tensor:
    """Compute KL(q || p) of each example, [B]; scores, log p(y | x, z_k), mask: [B, K]. No items: zero."""
    target = masked_log_softmax(log_likelihood.detach(), mask, target_temperature)
    return divergence(target, masked_log_softmax(scores, mask, temperature), mask)


@dataclass(frozen=True)
class Pdist:
    """Train the retriever to rank items by how likely each makes the answer."""

    temperature: float = 1.0
    target_temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.target_temperature, "target_temperature")

    @property
    def needs(self) -> Signal:
        """The likelihood of the answer given each item."""
        return Signal.ITEM_LIKELIHOOD

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for scores or likelihoods that are not finite."""
        check_finite(scores, mask, "retrieval scores")
        return pdist_loss(
            scores,
            item_log_likelihood(prediction, mask),
            mask=mask,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )
