"""How much of p is that of the neighbours: one weight for all contexts, or a small net's for each.

He, Neubig, Berg-Kirkpatrick, "Efficient Nearest Neighbor Language Models", EMNLP 2021,
https://arxiv.org/abs/2109.04212, section 4.2: the weight is a function of what the model and the neighbours say before
the token is known, learnt by the likelihood of text that is not in the datastore, the language model resting.

Implemented: their features of the model (largest log p, entropy) and of the neighbours (the distances of the best, how
many distinct tokens are among them), at ranks 1, 2, 4, ... up to k; one hidden layer. Before any training it gives the
weight it begins with, for every context.

Deviations: no states and no counts of n-grams are read, one hidden layer of 32 units for their four of 128, no penalty
on the weight (they prune by it); the temperature of distances is learnt with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from reml.predictors.knn_lm.neighbours import Neighbours

HIDDEN = 32
# Where the weight of a net begins.
START = 0.25


@dataclass(frozen=True, eq=False, slots=True)
class Said:
    """What is known of Q tokens: log p_LM of the right one [Q], and features of what stands before it [Q, F].

    distances, right: of K neighbours, squared, and whether theirs is the right token, [Q, K]; infinite and false where
    there is none.
    """

    log_likelihood: Tensor
    distances: Tensor
    right: Tensor
    features: Tensor


class Mixture(nn.Module):
    """Mixes log p_LM with log p_kNN by a weight, one for all contexts or, `adaptive`, a net's for each.

    temperature: what squared distances are divided by. Weight and temperature are parameters, and stay as they are
    given unless they are trained. k: neighbours.
    """

    def __init__(self, weight: float | Literal["adaptive"], temperature: float, k: int) -> None:
        super().__init__()
        self.log_temperature = nn.Parameter(torch.tensor(math.log(temperature)))
        start = START if weight == "adaptive" else weight
        self.bias = nn.Parameter(torch.tensor(math.log(start / (1 - start))))
        self.net: nn.Sequential | None = None
        if weight == "adaptive":
            last = nn.Linear(HIDDEN, 1, bias=False)
            nn.init.zeros_(last.weight)
            self.net = nn.Sequential(nn.Linear(2 + 2 * len(ranks(k)), HIDDEN), nn.ReLU(), last)

    def forward(self, said: Said) -> Tensor:
        """Give log p of the right tokens, [Q], in float32; where nothing is found that of the language model."""
        with torch.autocast(said.features.device.type, enabled=False):
            logit = self.logit(said.features)
        there = torch.isfinite(said.distances)
        scores = (-said.distances.masked_fill(~there, 0.0) / self.log_temperature.exp()).masked_fill(~there, -torch.inf)
        nearest = Neighbours(scores, said.right.long()).log_likelihood(said.right.new_ones(len(said.right)).long())
        language = said.log_likelihood + functional.logsigmoid(-logit)
        mixed = torch.logaddexp(language, nearest + functional.logsigmoid(logit))
        return torch.where(there.any(dim=1), mixed, said.log_likelihood)

    def logit(self, features: Tensor) -> Tensor:
        """Give log(weight / (1 - weight)) of each context, [Q]."""
        return self.bias.expand(len(features)) if self.net is None else self.bias + self.net(features).squeeze(1)


def ranks(k: int) -> list[int]:
    """Give the ranks whose neighbours are looked at: 1, 2, 4, ... up to k."""
    return [2**power for power in range(k.bit_length())]


def features(log_probabilities: Tensor, distances: Tensor, tokens: Tensor, k: int) -> Tensor:
    """Describe Q contexts by log p_LM [Q, V] and by their neighbours [Q, K], best first, infinite where none: [Q, F].

    The largest log p and the entropy; at each rank log(1 + distance) and the log of how many distinct tokens stand up
    to there, those of the last neighbour where there are fewer, 0 where there are none.
    """
    entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1)
    own = [log_probabilities.max(dim=1).values, entropy]
    count = torch.isfinite(distances).sum(dim=1)
    if not distances.shape[1]:
        return torch.stack([*own, *[torch.zeros_like(entropy)] * (2 * len(ranks(k)))], dim=1)
    places = torch.tensor(ranks(k), device=distances.device)[None, :].minimum(count[:, None].clamp(min=1)) - 1
    far = distances.gather(1, places).log1p().masked_fill(count[:, None] == 0, 0.0)
    distinct = _distinct(tokens).gather(1, places).log()
    return torch.cat([torch.stack(own, dim=1), far, distinct.masked_fill(count[:, None] == 0, 0.0)], dim=1)


def _distinct(tokens: Tensor) -> Tensor:
    """Count the distinct tokens up to each place, [Q, K]."""
    order = tokens.argsort(dim=1, stable=True)
    ordered = tokens.gather(1, order)
    new = torch.ones_like(ordered)
    new[:, 1:] = (ordered[:, 1:] != ordered[:, :-1]).long()
    return torch.zeros_like(tokens).scatter(1, order, new).cumsum(dim=1).float()
