"""Response processors: what happens to the items between retrieval and predictor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reml.contract.examples import Example
from reml.contract.retrieved import Responses
from reml.contract.vectors import Int64Array


class First:
    """Keep the first `k` items."""

    def __init__(self, k: int) -> None:
        if k < 1:
            raise ValueError(f"k is a number of items, 1 or more, not {k}.")
        self.k = k

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Responses:  # noqa: ARG002
        """Cut the responses."""
        return keep(responses, [range(min(self.k, len(items))) for items in responses.items])


class DistinctPages:
    """Keep the best item of each page."""

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Responses:  # noqa: ARG002
        """Drop every item whose page stands before it."""
        places = []
        for items in responses.items:
            first = {item.page_id: place for place, item in reversed(list(enumerate(items)))}
            places.append(sorted(first.values()))
        return keep(responses, places)


def keep(responses: Responses, places: Sequence[Sequence[int]]) -> Responses:
    """Give for each example the items at these places, in this order; scores keep their gradient."""
    import torch

    width = max((len(chosen) for chosen in places), default=0)
    order: Int64Array = np.full((len(places), width), -1, dtype=np.int64)
    for example, chosen in enumerate(places):
        order[example, : len(chosen)] = list(chosen)
    there = order >= 0
    index = np.where(there, order, 0)
    mask = torch.from_numpy(there)
    rows = np.where(there, np.take_along_axis(responses.rows, index, 1) if width else order, -1)
    scores = responses.scores.gather(1, torch.from_numpy(index).to(responses.scores.device))
    return Responses(
        items=tuple(
            tuple(items[place] for place in chosen) for items, chosen in zip(responses.items, places, strict=True)
        ),
        rows=rows,
        scores=scores.masked_fill(~mask.to(scores.device), -torch.inf),
        mask=mask.to(responses.mask.device),
    )
