"""`kl_distillation`: the retriever imitates the ranking of a teacher.

    L = KL(q || p)        q_k = softmax_k(SG[u_k] / target_temperature)        p_k = softmax_k(s_k / temperature)

with u_k the teacher's score of item k. Cao et al., "Learning to Rank: From Pairwise Approach to Listwise Approach",
ICML 2007 (ListNet, whose cross-entropy has the same gradient); as distillation into a dense retriever: Ren et al.,
"RocketQAv2", EMNLP 2021, section 3.1, https://arxiv.org/abs/2110.07367.

Deviations: a fixed teacher, where RocketQAv2 trains the re-ranker with the retriever.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from reml.feedback.distributions import (
    check_finite,
    check_temperature,
    divergence,
    item_utility,
    masked_log_softmax,
)
from reml.types import Prediction, Signal


def kl_distillation_loss(
    scores: Tensor,
    teacher: Tensor,
    *,
    mask: Tensor,
    temperature: float = 1.0,
    target_temperature: float = 1.0,
) -> Tensor:
    """Compute KL(q || p) of each example, [B]; scores, the teacher's scores, mask: [B, K]. No items: zero."""
    target = masked_log_softmax(teacher.detach(), mask, target_temperature)
    return divergence(target, masked_log_softmax(scores, mask, temperature), mask)


@dataclass(frozen=True)
class KlDistillation:
    """Train the retriever towards a teacher's distribution over the items."""

    temperature: float = 1.0
    target_temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.target_temperature, "target_temperature")

    @property
    def needs(self) -> Signal:
        """The teacher's scores, which a judge gives."""
        return Signal.ITEM_UTILITY

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for scores of retriever or teacher that are not finite."""
        check_finite(scores, mask, "retrieval scores")
        return kl_distillation_loss(
            scores,
            item_utility(prediction, mask),
            mask=mask,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )
