"""`rank_net`: the better item of a pair should score higher, by a logistic loss.

    L = mean over pairs i, j with u_i > u_j of log(1 + exp(-(s_i - s_j) / temperature))

with u the utilities: labels, or a teacher's scores, of which the order alone counts. Burges, Shaked, Renshaw, Lazier,
Deeds, Hamilton and Hullender, "Learning to Rank using Gradient Descent" (RankNet), ICML 2005,
https://doi.org/10.1145/1102351.1102363, with a target probability of 1.

Deviations: all pairs of an example's K items that differ in utility are taken, in a mean; the temperature, 1 / sigma
there, is 1 unless given.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_utility
from reml.feedback.pairs import differences, mean_of_pairs, ordered
from reml.feedback.tempered import Tempered


def rank_net_loss(scores: Tensor, utility: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the loss of each example, [B]; scores, utility, mask: [B, K]. No pair that differs: zero."""
    return mean_of_pairs(functional.softplus(-differences(scores, mask) / temperature), ordered(utility, mask))


@checked()
@dataclass(frozen=True)
class RankNet(Tempered):
    """Train the retriever or ranker to score the better item of a pair higher."""

    @property
    def needs(self) -> Signal:
        """Which item is better: a teacher's scores, or labels."""
        return Signal.ITEM_UTILITY

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for utilities that are not finite."""
        return rank_net_loss(scores, item_utility(credit, mask), mask, self.temperature)
