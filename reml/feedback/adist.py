"""`adist`: attention distillation, the retriever imitates where the predictor looked.

    L = KL(q || p)      q_k = SG[a_k] / sum_j SG[a_j]      p_k = softmax_k(s_k / temperature)

Izacard and Grave, "Distilling Knowledge from Reader to Retriever for Question Answering", ICLR 2021, and Izacard et
al., "Atlas", JMLR 2023, section 2.2. a_k >= 0 is the cross-attention mass that the predictor put on item k, already
summed over its tokens and averaged over heads and layers; how it is weighted (Atlas: by the norm of the values) is the
predictor's to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import (
    check_finite,
    divergence,
    masked_log_softmax,
    missing,
)
from reml.feedback.tempered import Tempered


def adist_loss(scores: Tensor, attention: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute KL(q || p) of each example, [B]; scores, attention mass (not negative), mask: [B, K]. No items: zero.

    An example whose items got no attention at all says nothing about them: its target is uniform.
    """
    log_probability = masked_log_softmax(scores, mask, temperature)
    tiny = torch.finfo(log_probability.dtype).tiny
    mass = attention.detach().to(log_probability.dtype).clamp(min=tiny)
    return divergence(masked_log_softmax(mass.log(), mask), log_probability, mask)


@checked()
@dataclass(frozen=True)
class Adist(Tempered):
    """Train the retriever to rank items by how much the predictor attends to each."""

    @property
    def needs(self) -> Signal:
        """The attention mass of each item."""
        return Signal.ATTENTION

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]; `ValueError` for attention that is not finite or negative."""
        attention = credit.attention
        if attention is None:
            raise missing(Signal.ATTENTION)
        check_finite(attention, mask, "attention masses")
        if bool((attention.masked_fill(~mask, 0.0) < 0).any()):
            raise ValueError("attention masses must not be negative: give sums of attention weights, not logits.")
        return adist_loss(scores, attention, mask, self.temperature)
