"""Response processors: what happens to the items of a query between the search and the cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from reml.contract.arguments.checked import checked
from reml.contract.examples import Item
from reml.contract.retrieved import Queries, Responses
from reml.contract.vectors import Int64Array


@checked()
@dataclass(frozen=True)
class First:
    """Keep the first `k` items."""

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is a number of items, 1 or more, not {self.k}.")

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Cut the responses."""
        return responses.first(self.k)


@dataclass(frozen=True)
class DistinctPages:
    """Keep the best item of each page."""

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Drop every item whose page stands before it."""
        positions = []
        for items in responses.items:
            first = {item.page_id: position for position, item in reversed(list(enumerate(items)))}
            positions.append(sorted(first.values()))
        return keep(responses, positions)


def with_items(responses: Responses, items: Sequence[Sequence[Item]]) -> Responses:
    """Give responses whose items are shown otherwise, each in its place; rows, scores and origins stay."""
    return replace(responses, items=tuple(tuple(held) for held in items))


def keep(responses: Responses, positions: Sequence[Sequence[int]]) -> Responses:
    """Give for each query the items at these positions, in this order; scores keep their gradient."""
    width = max((len(chosen) for chosen in positions), default=0)
    order: Int64Array = np.full((len(positions), width), -1, dtype=np.int64)
    for query, chosen in enumerate(positions):
        order[query, : len(chosen)] = list(chosen)
    return responses.pick(order)
