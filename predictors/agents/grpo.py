"""Learning from the rewards of a group: advantages, the loss of own tokens, and what the items of asks were worth.

Shao et al., "DeepSeekMath" (GRPO), https://arxiv.org/abs/2402.03300, section 4.1, as Search-R1 uses it (section 3.1 of
https://arxiv.org/abs/2503.09516). The loss of a roll-out is the mean over its own tokens of -A log p; its gradient is
that of the paper's clipped ratio, which is 1 where each roll-out is learnt from once, with the policy that wrote it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Positive, Several, Weight
from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.evaluation.answers import exact_match, f1, normalise
from reml.predictors.agents.rolling import Ask
from reml.predictors.agents.transcript import Rollout
from reml.predictors.reading.pairs import readable

_MEASURES = {"em": exact_match, "f1": f1}
_SMALL = 1e-6


@checked("grpo")
@dataclass(frozen=True)
class Grpo:
    """How a policy learns. group: roll-outs of each example. temperature: at which they are drawn.

    reward: of an answer, exact match (as the paper) or F1 with the best of the right answers. kl: weight of the
    divergence from the model that is named, which costs a second one and a pass of it.
    """

    group: Several = 4
    temperature: Positive = 1.0
    reward: Literal["em", "f1"] = "em"
    kl: Weight = 0.0


def rewards_of(rollouts: Sequence[Rollout], examples: Sequence[Example], reward: Literal["em", "f1"]) -> Tensor:
    """Give the reward of each answer, float [R], 0 to 1; 0 for one that is blank."""
    right = [[normalise(answer) for answer in example.answers] for example in examples]
    given = [(normalise(one.answer or ""), right[one.owner]) for one in rollouts]
    return torch.tensor([_MEASURES[reward](said, answers) if said else 0.0 for said, answers in given])


def advantages(rewards: Tensor) -> Tensor:
    """Give (r - mean) / (std + 1e-6) in each group, of rewards [B, G]; all 0 where a group has one reward."""
    return (rewards - rewards.mean(1, keepdim=True)) / (rewards.std(1, keepdim=True) + _SMALL)


def policy_loss(said: Tensor, own: Tensor, owners: Tensor, weights: Tensor) -> Tensor:
    """Give -A times the mean of log p over own tokens for each of R roll-outs, [R].

    said: log p [P, L]; own: bool [P, L], all else counts for nothing; owners: the roll-out of each of P texts; weights:
    the advantages A, [R].
    """
    return -weights * _mean_of(said, own, owners, len(weights))


def divergence(said: Tensor, start: Tensor, own: Tensor, owners: Tensor, count: int) -> Tensor:
    """Give the mean over own tokens of the estimate exp(d) - d - 1, d = log p_start - log p, for each roll-out, [R]."""
    apart = start - said
    return _mean_of(apart.exp() - apart - 1, own, owners, count)


def utilities(ask: Ask, found: Responses, rewards: Mapping[Rollout, float]) -> Tensor:
    """Say what the items of an ask were worth, [Q, K]: the reward of the roll-out where it used them, else 0.

    Whether an item is used: `Rollout.used`. After LRAT (https://arxiv.org/abs/2604.04949), whose agent opens
    documents and weighs them by the length of what it thinks of them; here none are opened, and the reward weighs.
    """
    worth = torch.zeros(found.rows.shape)
    for place, items in enumerate(readable(found)):
        for rank, item in items.items():
            one = ask.rollouts[place]
            worth[place, rank] = rewards[one] * one.used(ask.turns[place], item)
    return worth


def _mean_of(values: Tensor, own: Tensor, owners: Tensor, count: int) -> Tensor:
    """Give the mean of values [P, L] over the own tokens of each of `count` roll-outs, 0 without any."""
    sums = values.new_zeros(count).index_add(0, owners, values.masked_fill(~own, 0.0).sum(1))
    tokens = values.new_zeros(count).index_add(0, owners, own.sum(1).to(values.dtype))
    return sums / tokens.clamp_min(1.0)
