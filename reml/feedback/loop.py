"""`loop`: leave one out, the retriever ranks items by how much worse the answer becomes without each.

    L = KL(q || p)   q_k = softmax_k(-SG[log p(y | x, D without z_k)] / target_temperature)   p_k = softmax_k(s_k / tau)

Izacard et al., "Atlas: Few-shot Learning with Retrieval Augmented Language Models", JMLR 2023, section 2.2 (LOOP),
https://arxiv.org/abs/2208.03299. The likelihood is that of the whole answer given all other items at once, so that an
item gets credit only for what no other one says: two items that say the same share none.

Deviations: the public code takes the mean over the answer's tokens where the equation has the sum (divide
`target_temperature` by the length to have it), and averages the divergence over all B x K elements, so that its
gradient shrinks with K; here it is a sum over items.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from reml.feedback.distributions import check_finite, check_temperature, divergence, masked_log_softmax, missing
from reml.types import Prediction, Signal


def loop_loss(
    scores: Tensor,
    leave_one_out: Tensor,
    *,
    mask: Tensor,
    temperature: float = 1.0,
    target_temperature: float = 1.0,
) -> Tensor:
    """Compute KL(q || p) of each example, [B]; scores, log p(y | x, items but this one), mask: [B, K]. No items: 0."""
    target = masked_log_softmax(-leave_one_out.detach(), mask, target_temperature)
    return divergence(target, masked_log_softmax(scores, mask, temperature), mask)


@dataclass(frozen=True)
class Loop:
    """Train the retriever to rank items by how much the predictor misses each."""

    temperature: float = 1.0
    target_temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.target_temperature, "target_temperature")

    @property
    def needs(self) -> Signal:
        """The likelihood of the answer without each item."""
        return Signal.LEAVE_ONE_OUT

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for scores or likelihoods that are not finite."""
        likelihood = prediction.leave_one_out
        if likelihood is None:
            raise missing(Signal.LEAVE_ONE_OUT)
        check_finite(scores, mask, "retrieval scores")
        check_finite(likelihood, mask, "leave-one-out log-likelihoods")
        return loop_loss(
            scores,
            likelihood,
            mask=mask,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )
