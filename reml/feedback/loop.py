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

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import check_finite, missing
from reml.feedback.tempered import Distilling


@checked()
@dataclass(frozen=True)
class Loop(Distilling):
    """Train the retriever to rank items by how much the predictor misses each."""

    @property
    def needs(self) -> Signal:
        """The likelihood of the answer without each item."""
        return Signal.LEAVE_ONE_OUT

    def target(self, credit: Credit, mask: Tensor) -> Tensor:
        """Give -log p(y | x, items but z_k), [B, K]."""
        likelihood = credit.leave_one_out
        if likelihood is None:
            raise missing(Signal.LEAVE_ONE_OUT)
        check_finite(likelihood, mask, "leave-one-out log-likelihoods")
        return -likelihood
