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

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import item_utility
from reml.feedback.tempered import Distilling


@checked()
@dataclass(frozen=True)
class KlDistillation(Distilling):
    """Train the retriever towards a teacher's distribution over the items."""

    @property
    def needs(self) -> Signal:
        """The teacher's scores, which a judge gives."""
        return Signal.ITEM_UTILITY

    def target(self, credit: Credit, mask: Tensor) -> Tensor:
        """Give the teacher's scores, [B, K]."""
        return item_utility(credit, mask)
