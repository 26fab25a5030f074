"""`utility_distillation`: the downstream measure that each item reaches on its own is its relevance.

    L = KL(q || p)        q_k = softmax_k(u_k / target_temperature)        p_k = softmax_k(s_k / temperature)

u_k is the measure (exact match, say) of the answer that the predictor gives when item k is all it has: the labels of
Salemi and Zamani, "Evaluating Retrieval Quality in Retrieval-Augmented Generation" (eRAG), SIGIR 2024,
https://arxiv.org/abs/2404.13781. As a target for training: ROPG-KD of Salemi, Kallumadi and Zamani, "Optimization
Methods for Personalizing Large Language Models through Retrieval Augmentation", SIGIR 2024,
https://arxiv.org/abs/2404.05970. The judge `DownstreamUtility` makes u_k with any predictor.

Deviation: where all items are equally useful (the answer stands in none of them, say) there is nothing to learn, and
the loss is zero; a uniform target would teach the retriever to forget what it knows.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.feedback.distributions import check_temperature, distillation, item_utility, retrieval_scores


def utility_distillation_loss(
    scores: Tensor,
    utility: Tensor,
    *,
    mask: Tensor,
    temperature: float = 1.0,
    target_temperature: float = 1.0,
) -> Tensor:
    """Compute KL(q || p) of each example, [B]; scores, utilities, mask: [B, K]. Zero where utilities do not differ."""
    loss = distillation(scores, utility, mask=mask, temperature=temperature, target_temperature=target_temperature)
    return torch.where(differs(utility, mask), loss, torch.zeros_like(loss))


def differs(utility: Tensor, mask: Tensor) -> Tensor:
    """Tell of each example whether some item is more useful than another, [B]."""
    if not utility.shape[1]:
        return mask.any(dim=-1)
    most = utility.masked_fill(~mask, -torch.inf).amax(dim=-1)
    return most > utility.masked_fill(~mask, torch.inf).amin(dim=-1)


@checked()
@dataclass(frozen=True)
class UtilityDistillation:
    """Train the retriever to rank items by the downstream measure that each reaches on its own.

    target_temperature: the smaller, the more the best items get. Measures lie in [0, 1], so 1 would hardly prefer any.
    """

    temperature: float = 1.0
    target_temperature: float = 0.1

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.target_temperature, "target_temperature")

    @property
    def needs(self) -> Signal:
        """The utility of each item, which a judge gives."""
        return Signal.ITEM_UTILITY

    def __call__(self, responses: Responses, credit: Credit, others: InBatch | None = None) -> Tensor:  # noqa: ARG002
        """Give the loss of each example, [B]; `ValueError` for scores or utilities that are not finite."""
        scores, mask = retrieval_scores(responses), responses.mask
        return utility_distillation_loss(
            scores,
            item_utility(credit, mask),
            mask=mask,
            temperature=self.temperature,
            target_temperature=self.target_temperature,
        )
