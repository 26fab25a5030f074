"""Hits -> Responses: the items behind the rows, fetched when they are looked at; and back, as they are shown."""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import replace

import numpy as np
import torch

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, LazyItems, Responses, Shown


def gather(collection: Collection, hits: Hits, *, temperature: float = 1.0) -> Responses:
    """Give the items of hits [Q, K], fetched in one batch on first use, each distinct row once; padding is kept.

    An item that a processor changed the text of is as it was shown. The scores are those of the hits, float32 and
    without gradient. `KeyError`, on first use, for a row the collection
    does not have.
    """
    return Responses(
        items=LazyItems(len(hits), lambda: _fetched(collection, hits), as_kept=hits.shown is None),
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
    bounds = [0, *np.cumsum(hits.mask.sum(axis=1)).tolist()]
    items = [found[place] for place in position.tolist()]
    if hits.shown is not None:
        items = list(map(hits.shown.item, items, hits.shown.at[hits.mask].tolist()))
    return [tuple(items[start:stop]) for start, stop in itertools.pairwise(bounds)]


def shown(found: Responses, collection: Collection, k: int) -> Hits:
    """Give responses as hits of k places, with the texts of those items that are shown otherwise than they are kept.

    `ValueError` if anything but text and span of an item was changed.
    """
    hits = found.hits(k)
    if found.as_kept:
        return hits
    at = np.full(hits.rows.shape, -1, dtype=np.int64)
    changed: list[Item] = []
    for query, (held, kept) in enumerate(zip(found.items, gather(collection, hits).items, strict=True)):
        for place, (item, before) in enumerate(zip(held, kept, strict=False)):
            if item != before:
                _check_only_text(item, before)
                at[query, place] = len(changed)
                changed.append(item)
    if not changed:
        return hits
    spans = [dataclasses.astuple(item.span) if item.span is not None else (-1,) * 4 for item in changed]
    return replace(hits, shown=Shown(at, tuple(item.text for item in changed), np.array(spans, dtype=np.int64)))


def _check_only_text(item: Item, before: Item) -> None:
    if replace(item, text=before.text, span=before.span) != before:
        names = [one.name for one in dataclasses.fields(Item) if getattr(item, one.name) != getattr(before, one.name)]
        raise ValueError(
            f"a processor changed {' and '.join(names)} of the item of row {before.row}: it may change text and span "
            "alone, so that what is found is still an item of its collection."
        )
