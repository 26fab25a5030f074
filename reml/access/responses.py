"""Hits -> Responses: the items behind the rows, ready for a predictor."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from reml.contract.access import ResponseProcessor
from reml.contract.collections import Collection
from reml.contract.examples import Example, Item
from reml.contract.retrieved import Hits, Responses
from reml.contract.vectors import Int64Array


def gather(collection: Collection, hits: Hits) -> Responses:
    """Fetch the items of hits [B, K] in one batch, each distinct row once; padding is kept.

    The scores are those of the hits, float32 and without gradient. `KeyError` for a row the collection does not have.
    """
    distinct, position = np.unique(hits.rows[hits.mask], return_inverse=True)
    found = collection.get(distinct) if len(distinct) else []
    return Responses(
        items=_by_example(found, position, hits.mask.sum(axis=1)),
        rows=hits.rows,
        scores=torch.tensor(hits.scores),
        mask=torch.tensor(hits.mask),
    )


def respond(
    collection: Collection, examples: Sequence[Example], hits: Hits, processors: Sequence[ResponseProcessor]
) -> Responses:
    """Fetch the items of hits [B, K] and let each processor in turn change the responses."""
    responses = gather(collection, hits)
    for processor in processors:
        responses = processor(examples, responses)
    return responses


def empty(count: int) -> Responses:
    """Give `count` examples no items at all (K = 0): what a predictor receives that is asked without retrieval."""
    return Responses(
        items=((),) * count,
        rows=np.empty((count, 0), dtype=np.int64),
        scores=torch.empty((count, 0)),
        mask=torch.empty((count, 0), dtype=torch.bool),
    )


def _by_example(found: list[Item], position: Int64Array, counts: Int64Array) -> tuple[tuple[Item, ...], ...]:
    stops = np.cumsum(counts)
    return tuple(
        tuple(found[place] for place in position[stop - count : stop])
        for count, stop in zip(counts, stops, strict=True)
    )
