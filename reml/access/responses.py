"""Hits -> Responses: the items behind the rows, fetched when they are looked at."""

from __future__ import annotations

import numpy as np
import torch

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, LazyItems, Responses


def gather(collection: Collection, hits: Hits, *, temperature: float = 1.0) -> Responses:
    """Give the items of hits [Q, K], fetched in one batch on first use, each distinct row once; padding is kept.

    The scores are those of the hits, float32 and without gradient. `KeyError`, on first use, for a row the collection
    does not have.
    """
    return Responses(
        items=LazyItems(len(hits), lambda: _fetched(collection, hits)),
        rows=hits.rows,
        scores=torch.tensor(hits.scores),
        mask=torch.tensor(hits.mask),
        temperature=temperature,
    )


def empty(count: int) -> Responses:
    """Give `count` examples no items at all (K = 0): what a predictor receives that is asked without retrieval."""
    return Responses(
        items=((),) * count,
        rows=np.empty((count, 0), dtype=np.int64),
        scores=torch.empty((count, 0)),
        mask=torch.empty((count, 0), dtype=torch.bool),
    )


def _fetched(collection: Collection, hits: Hits) -> list[tuple[Item, ...]]:
    distinct, position = np.unique(hits.rows[hits.mask], return_inverse=True)
    found = collection.get(distinct) if len(distinct) else []
    stops = np.cumsum(hits.mask.sum(axis=1))
    starts = [0, *stops[:-1].tolist()]
    return [
        tuple(found[place] for place in position[start:stop])
        for start, stop in zip(starts, stops.tolist(), strict=True)
    ]
