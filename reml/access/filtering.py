"""Searching with a filter: rows that a query may not find, or the only ones that it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from reml.contract.retrieved import Hits, Queries, Rows, room_for
from reml.contract.retrievers import Retriever
from reml.contract.vectors import Int64Array


def hide(queries: Queries, rows: Int64Array) -> Queries:
    """Let queries not find these rows, whatever else they may or may not find."""
    return hide_each(queries, [rows] * len(queries))


def hide_each(queries: Queries, rows: Sequence[Int64Array]) -> Queries:
    """Let each query not find its own of these rows, whatever else it may or may not find."""
    only = queries.only
    if not any(map(len, rows)):
        return queries
    if only is None:
        return replace(queries, only=Rows.of(rows, excluded=True))
    join = np.union1d if only.excluded else np.setdiff1d
    left = [join(only[query], hidden) for query, hidden in enumerate(rows)]
    return replace(queries, only=Rows.of(left, excluded=only.excluded))


def search_within(retriever: Retriever, queries: Queries, k: int) -> Hits:
    """Give the k best rows of each query among those it may find, [Q, k]; exact, as the retriever is.

    Rows that are excluded are searched for and dropped; where only some are allowed, just these are scored. Of a
    collection with far fewer items than k, as many places as hold all of them.
    """
    only, k = queries.only, room_for(k, len(retriever.collection))
    if only is None:
        return retriever.search(queries, k)
    longest = int(np.diff(only.indptr).max(initial=0))
    if only.excluded:
        found = retriever.search(queries, k + longest)
        allowed = np.array([only.allows(query, rows) for query, rows in enumerate(found.rows)]).reshape(
            found.rows.shape
        )
        return Hits.ranked(np.where(allowed, found.rows, -1), found.scores, k)
    rows = np.full((len(queries), longest), -1, dtype=np.int64)
    for query, row in enumerate(rows):
        row[: len(only[query])] = only[query]
    with torch.no_grad():
        scores = retriever.score(queries, rows).float().cpu().numpy()
    return Hits.ranked(rows, scores, k)
