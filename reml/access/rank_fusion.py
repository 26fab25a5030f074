"""Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009).

score(item) = sum over rankings of 1 / (constant + rank), rank from 1
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reml.contract.retrieved import Hits


def reciprocal_rank_fusion(rankings: Sequence[Hits], k: int, *, constant: int = 60) -> Hits:
    """Fuse rankings of the same B queries into one of k places; an item that a ranking lacks gets nothing from it.

    `ValueError` for rankings with texts that a processor changed.
    """
    for hits in rankings:
        require_kept(hits)
    rows = np.concatenate([hits.rows for hits in rankings], axis=1)  # [B, C]
    gains = np.concatenate(
        [np.broadcast_to(1 / (constant + 1 + np.arange(hits.k)), hits.rows.shape) for hits in rankings], axis=1
    )
    order = np.argsort(rows, axis=1, kind="stable")
    rows, gains = np.take_along_axis(rows, order, 1), np.take_along_axis(gains, order, 1)
    first = np.ones(rows.shape, dtype=bool)
    first[:, 1:] = rows[:, 1:] != rows[:, :-1]
    group = np.cumsum(first.ravel()) - 1  # occurrences of one item of one query share a group
    totals = np.bincount(group, weights=gains.ravel(), minlength=1)[group].reshape(rows.shape)
    return Hits.ranked(np.where(first, rows, -1), totals.astype(np.float32), k)


def require_kept(hits: Hits) -> Hits:
    """Give hits back; `ValueError` if they show an item otherwise than its collection has it, as each list may."""
    if hits.shown is not None:
        raise ValueError(
            "rankings are fused by their rows, and a processor changed texts of their items, which may be others in "
            "each list: leave such processors (Snippet, Compress, Translate) out of what is fused, and ask with one "
            "query an example where you use them."
        )
    return hits
