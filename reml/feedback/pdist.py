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

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_log_likelihood
from reml.feedback.tempered import Distilling


@checked()
@dataclass(frozen=True)
class Pdist(Distilling):
    """Train the retriever to rank items by how likely each makes the answer."""

    @property
    def needs(self) -> Signal:
        """The likelihood of the answer given each item."""
        return Signal.ITEM_LIKELIHOOD

    def target(self, credit: Credit, mask: Tensor) -> Tensor:
        """Give log p(y | x, z_k), [B, K]."""
        return item_log_likelihood(credit, mask)
