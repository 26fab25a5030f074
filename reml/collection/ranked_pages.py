"""The pages of ranked rows, told apart by their numbers, so that no item is made of what is not kept.

Examples are taken in batches of about `ROWS_AT_ONCE` rows: a million hits never are a million items.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Shown
from reml.contract.vectors import Int64Array

ROWS_AT_ONCE = 1 << 13


def batches_of_examples(rows: Int64Array) -> Iterator[slice]:
    """Cut rows [N, K] into runs of examples that have at most `ROWS_AT_ONCE` rows, or of one example."""
    size = max(1, ROWS_AT_ONCE // max(1, rows.shape[1]))
    return (slice(start, start + size) for start in range(0, len(rows), size))


def items_of_examples(collection: Collection, rows: Int64Array, shown: Shown | None = None) -> Iterator[list[Item]]:
    """Give the items of each example's rows [N, K], -1 left out, fetched a batch of examples at a time.

    shown: the texts that they are shown with, if a processor changed any.
    """
    for batch in batches_of_examples(rows):
        chosen = np.asarray(rows[batch])
        found = collection.get(chosen[chosen >= 0])
        if shown is not None:
            found = list(map(shown.item, found, shown.at[batch][chosen >= 0].tolist()))
        items = iter(found)
        for count in (chosen >= 0).sum(axis=1).tolist():
            yield [next(items) for _ in range(count)]


def first_of_pages(collection: Collection, rows: Int64Array) -> npt.NDArray[np.bool_]:
    """Say of each of rows [B, K] whether it is the first of its page in its example; row -1 is not."""
    pages = np.where(rows >= 0, collection.values("page", rows), -1)
    order = np.argsort(pages, axis=1, kind="stable")
    ordered = np.take_along_axis(pages, order, axis=1)
    first = np.ones(rows.shape, dtype=np.bool_)
    first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    kept = np.empty(rows.shape, dtype=np.bool_)
    np.put_along_axis(kept, order, first, axis=1)
    return kept & (rows >= 0)


def page_ids(collection: Collection, rows: Int64Array) -> list[str]:
    """Give the id of the page of each of rows [n]; of each page one item is fetched, however often it comes."""
    _, firsts, places = np.unique(collection.values("page", rows), return_index=True, return_inverse=True)
    ids = [item.page_id for item in collection.get(rows[firsts])]
    return [ids[place] for place in places.ravel().tolist()]
