"""Small lists of items, with their queries, for tests of processors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from reml.contract.examples import Item, Span
from reml.contract.retrieved import LazyItems, Queries, Responses


def item(row: int, text: str, title: str = "", page: str = "p") -> Item:
    """Give an item of one paragraph, whose text begins at character 10."""
    return Item(row, text, title, page, Span(2, 10, 2, 10 + len(text)))


def found(*lists: Sequence[Item], scores: Sequence[Sequence[float]] | None = None) -> Responses:
    """Give lists of items, with scores of n, n - 1, ... that have a gradient."""
    width = max(map(len, lists), default=0)
    rows = np.full((len(lists), width), -1, dtype=np.int64)
    values = torch.full((len(lists), width), -torch.inf)
    for query, items in enumerate(lists):
        rows[query, : len(items)] = [one.row for one in items]
        given = scores[query] if scores is not None else [float(width - place) for place in range(len(items))]
        values[query, : len(items)] = torch.tensor(given)
    mask = torch.from_numpy(rows >= 0)
    origins = np.where(rows >= 0, 1, 0).astype(np.int8)
    held = LazyItems(len(lists), lambda: tuple(map(tuple, lists)), as_kept=True)
    return Responses(held, rows, values.requires_grad_(), mask, origins, ("a", "b"))


def texts(responses: Responses) -> list[list[str]]:
    """Give what is read."""
    return [[one.text for one in items] for items in responses.items]


def asked(*queries: str) -> Queries:
    """Give queries of texts."""
    return Queries.of(queries)
