"""Reciprocal rank fusion of several retrievers (Cormack, Clarke and Buettcher, SIGIR 2009).

    score(item) = sum over retrievers of 1 / (constant + rank), rank from 1, over the first `depth` items of each

The formula is in reml/access/rank_fusion.py; here it is a retriever, which serves wherever one retriever does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from reml.access.rank_fusion import reciprocal_rank_fusion
from reml.access.storing.growing import growing
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.retrieved import Hits, Queries, given_queries, room_for
from reml.contract.retrievers import ExplainingRetriever, Indexer, Retriever
from reml.contract.vectors import Int64Array

if TYPE_CHECKING:
    from torch import Tensor


@checked()
@dataclass(frozen=True)
class Fusion:
    """Settings of a fusion.

    retrievers: two or more. constant: k in the paper, 60 there; the larger it is, the less the first ranks stand out.
    depth: how many items of each retriever take part, so at most `depth` times their number are found.
    """

    retrievers: Sequence[Indexer]
    constant: int = 60
    _: KW_ONLY
    depth: int = 100

    def __post_init__(self) -> None:
        if len(self.retrievers) < 2:
            raise ValueError(f"a fusion is of two retrievers or more, not of {len(self.retrievers)}.")
        if self.constant < 0 or self.depth < 1:
            raise ValueError(f"constant is 0 or more and depth 1 or more, not {self.constant} and {self.depth}.")

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Build or open each retriever in `folder/0`, `folder/1`, ...; each refuses what does not fit it."""
        parts = [indexer.index(collection, folder / str(number)) for number, indexer in enumerate(self.retrievers)]
        return FusedRetriever(collection, parts, constant=self.constant, depth=self.depth)


@final
class FusedRetriever:
    """Ranks items by the ranks that other retrievers of the same collection give them."""

    def __init__(self, collection: Collection, parts: Sequence[Retriever], *, constant: int, depth: int) -> None:
        self.collection = collection
        self.parts = tuple(parts)
        self.constant = constant
        self.depth = depth

    @takes_paths
    def over(self, collection: Collection, folder: Path, first: int) -> FusedRetriever:
        """Give a fusion over another collection; `ValueError` names a part that cannot find what is written."""
        parts = [growing(part).over(collection, folder / str(number), first) for number, part in enumerate(self.parts)]
        return FusedRetriever(collection, parts, constant=self.constant, depth=self.depth)

    def catch_up(self) -> None:
        """Let every part make findable what the collection gained."""
        for part in self.parts:
            growing(part).catch_up()

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; `ValueError` if k < 1 or queries come as vectors."""
        if k < 1:
            raise ValueError(f"k is a number of items, 1 or more, not {k}.")
        return reciprocal_rank_fusion(self._rankings(given_queries(queries)), k, constant=self.constant)

    def why_nothing(self, query: str) -> str:
        """Say what those parts say that can tell."""
        said = [part.why_nothing(query) for part in self.parts if isinstance(part, ExplainingRetriever)]
        return "; ".join(dict.fromkeys(said)) or "none of the fused retrievers finds anything"

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Give rows [B, K] the scores that `search` gives them; 0 beyond `depth` in every ranking, -inf for row -1.

        There is no gradient: a rank does not move with a small step of a score. Train the parts.
        """
        import torch

        if rows.ndim != 2 or len(rows) != len(queries):
            raise ValueError(f"rows must be [B, K] for {len(queries)} queries, not {rows.shape}.")
        rankings = self._rankings(queries)
        fused = reciprocal_rank_fusion(rankings, sum(part.k for part in rankings), constant=self.constant)
        same = rows[:, :, None] == fused.rows[:, None, :]  # [B, K, C]
        scores = (same * np.where(fused.mask, fused.scores, 0)[:, None, :]).sum(axis=2)  # [B, K, C] -> [B, K]
        return torch.from_numpy(np.where(rows >= 0, scores, -np.inf).astype(np.float32))

    def _rankings(self, queries: Queries) -> list[Hits]:
        if queries.states is not None:
            raise ValueError("queries that are vectors live in one retriever's space: search that one, not the fusion.")
        return [part.search(queries, room_for(self.depth, len(self.collection))) for part in self.parts]
