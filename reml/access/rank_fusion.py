"""Rankings of the same items made one: by the sum of reciprocal ranks, or taken from in turn.

Reciprocal rank fusion (Cormack, Clarke and Buettcher, SIGIR 2009), over rankings, rank from 1:

    score(item) = sum of 1 / (constant + rank)

Interleaved: the first of the first ranking, the first of the second, ..., the second of the first, and so on, each item
where it comes first. Its score is 1 / n for the place n at which it was come upon, items that come again counted too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array

Gains = npt.NDArray[np.float64]
Fusing = Literal["reciprocal_rank", "interleaved"]


def reciprocal_rank_fusion(rankings: Sequence[Hits], k: int, *, constant: int = 60) -> Hits:
    """Fuse rankings of the same B queries into one of k places; an item that a ranking lacks gets nothing from it.

    `ValueError` for rankings with texts that a processor changed.
    """

    def total(gains: Gains, item: Int64Array) -> Gains:
        totals: Gains = np.bincount(item, weights=gains, minlength=1).astype(np.float64)
        return totals[item]

    return _fused(rankings, k, [1 / (constant + 1 + np.arange(hits.k)) for hits in rankings], total)


def interleaved(rankings: Sequence[Hits], k: int) -> Hits:
    """Take from rankings of the same B queries in turn, into one of k places. `ValueError` as of the other."""

    def best(gains: Gains, item: Int64Array) -> Gains:
        found = np.zeros(len(gains))
        np.maximum.at(found, item, gains)
        return found[item]

    return _fused(
        rankings, k, [1 / (1 + turn + len(rankings) * np.arange(hits.k)) for turn, hits in enumerate(rankings)], best
    )


FUSIONS: Mapping[Fusing, Callable[[Sequence[Hits], int], Hits]] = {
    "reciprocal_rank": reciprocal_rank_fusion,
    "interleaved": interleaved,
}


def require_kept(hits: Hits) -> Hits:
    """Give hits back; `ValueError` if they show an item otherwise than its collection has it, as each list may."""
    if hits.shown is not None:
        raise ValueError(
            "rankings are fused by their rows, and a processor changed texts of their items, which may be others in "
            "each list: leave such processors (Snippet, Compress, Translate) out of what is fused, and ask with one "
            "query an example where you use them."
        )
    return hits


def _fused(
    rankings: Sequence[Hits], k: int, gains: Sequence[Gains], joined: Callable[[Gains, Int64Array], Gains]
) -> Hits:
    """Order items by what `joined` makes of their gains; an item of a query has the same number wherever it stands."""
    for hits in rankings:
        require_kept(hits)
    rows = np.concatenate([hits.rows for hits in rankings], axis=1)  # [B, C]
    by_place = np.concatenate(
        [np.broadcast_to(gain, hits.rows.shape) for gain, hits in zip(gains, rankings, strict=True)], axis=1
    )
    order = np.argsort(rows, axis=1, kind="stable")
    rows, by_place = np.take_along_axis(rows, order, 1), np.take_along_axis(by_place, order, 1)
    first = np.ones(rows.shape, dtype=bool)
    first[:, 1:] = rows[:, 1:] != rows[:, :-1]
    item = np.cumsum(first.ravel(), dtype=np.int64) - 1
    scores = joined(by_place.ravel(), item).reshape(rows.shape)
    return Hits.ranked(np.where(first, rows, -1), scores.astype(np.float32), k)
