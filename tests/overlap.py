"""A ranker with one parameter: how much each word counts that a query and an item share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from reml.contract.examples import Item, texts_of
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array


@final
class Overlap:
    """A `Scorer`. weight: what a shared word counts before it learns; below 0 it ranks backwards."""

    def __init__(self, weight: float = -1.0) -> None:
        self.weight = weight
        self.module = nn.ParameterDict({"weight": nn.Parameter(torch.tensor(weight))})

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Give weight x shared words, [Q, K]; -inf at -1."""
        asked = [set(text.lower().strip("?").split()) for text in texts_of(queries.said, self)]
        shown = [set(item.full_text(title=True).lower().split()) for item in items]
        pairs = zip(asked, positions, strict=True)
        shared = torch.tensor([[float(len(words & shown[place])) for place in row] for words, row in pairs])
        scores: Tensor = shared * self.module["weight"]
        return scores.masked_fill(torch.from_numpy(positions < 0), -torch.inf)
