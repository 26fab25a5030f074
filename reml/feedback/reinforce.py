"""`reinforce`: the retriever is rewarded for items that let the predictor say the answer.

    L = -sum_k SG[p(z_k | x) (r_k - b)] log p(z_k | x)        p(z_k | x) = softmax_k(s_k / temperature)

    r_k = exp(mean_t log p(y_t | y_<t, x, z_k))        b = mean_k r_k

Zhang et al., "RetGen: A Joint Framework for Retrieval and Grounded Text Generation Modeling", AAAI 2022, section
"Retriever optimization", https://arxiv.org/abs/2105.06597. The sum over the K items retrieved stands for the
expectation, so the gradient is exactly that of -sum_k p(z_k | x) r_k, the expected reward: a baseline leaves it as it
is, because the probabilities add up to 1. The value is not a quantity that falls as training goes well.

Deviations: none known. The reward is the geometric mean of the token likelihoods, since the predictor's loss there is a
mean over tokens; it lies in [0, 1] whatever the answer's length.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import (
    masked_log_softmax,
    token_log_likelihood,
    where_any_item,
)
from reml.feedback.tempered import Tempered


def reinforce_loss(scores: Tensor, reward: Tensor, mask: Tensor, temperature: float = 1.0) -> Tensor:
    """Compute the loss of each example, [B]; scores, reward, mask: [B, K]. An example without items has loss zero."""
    log_probability = masked_log_softmax(scores, mask, temperature)
    reward = reward.detach().to(log_probability.dtype).masked_fill(~mask, 0.0)
    baseline = reward.sum(dim=-1, keepdim=True) / mask.sum(dim=-1, keepdim=True).clamp(min=1)
    advantage = log_probability.detach().exp() * (reward - baseline)
    return where_any_item(-(advantage * log_probability).masked_fill(~mask, 0.0).sum(dim=-1), mask)


def token_reward(log_likelihood: Tensor, target_mask: Tensor) -> Tensor:
    """Give exp of the mean token log-likelihood of each item, [B, K], from [B, K, T] and a mask [B, T]."""
    total = log_likelihood.masked_fill(~target_mask[:, None, :], 0.0).sum(dim=-1)
    return (total / target_mask.sum(dim=-1)[:, None].clamp(min=1)).exp()


@checked()
@dataclass(frozen=True)
class Reinforce(Tempered):
    """Train the retriever by policy gradient on the predictor's likelihood as reward."""

    @property
    def needs(self) -> Signal:
        """The likelihood of each token given each item."""
        return Signal.TOKEN_LIKELIHOOD

    def loss(self, scores: Tensor, mask: Tensor, credit: Credit) -> Tensor:
        """Give the loss of each example, [B]."""
        return reinforce_loss(scores, token_reward(*token_log_likelihood(credit, mask)), mask, self.temperature)
