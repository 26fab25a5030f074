"""Losses that train a choice among C alternatives by the utilities of all of them, [B, C].

pairwise   sum over pairs i, j of |u_i - u_j| log(1 + exp(-sign(u_i - u_j) (s_i - s_j)))
pointwise  sum over i of (s_i - u_i)^2
listwise   minus the sum over i of softmax(s)_i u_i, the expected utility of a draw

What is chosen is the alternative with the best score s. A pair counts by what the wrong one of the two would cost: the
best s_i - s_j is log of E[max(u_i - u_j, 0)] / E[max(u_j - u_i, 0)], whose sign is that of the difference of expected
utilities. Unweighted (RankNet), an alternative that is better by little in most cases would win over one that is better
by much in some.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from reml.feedback.pairs import differences, ordered

Objective = Literal["pairwise", "pointwise", "listwise"]


def pairwise(scores: Tensor, utility: Tensor) -> Tensor:
    """Give the weighted logistic loss of all pairs, [B]."""
    every = torch.ones_like(utility, dtype=torch.bool)
    losses = functional.softplus(-differences(scores, every)) * differences(utility, every)
    return losses.masked_fill(~ordered(utility, every), 0.0).sum((1, 2))


def pointwise(scores: Tensor, utility: Tensor) -> Tensor:
    """Give the squared distance of scores from utilities, [B]."""
    return (scores - utility).square().sum(1)


def listwise(scores: Tensor, utility: Tensor) -> Tensor:
    """Give minus the expected utility of a draw, [B]."""
    return -(scores.softmax(1) * utility).sum(1)


LOSSES: Mapping[Objective, Callable[[Tensor, Tensor], Tensor]] = {
    "pairwise": pairwise,
    "pointwise": pointwise,
    "listwise": listwise,
}
