"""An index over another one that stays as it is: what is added lies beside it, in memory."""

from __future__ import annotations

from typing import final

import numpy as np

from reml.contract.retrieved import Hits
from reml.contract.retrievers import Index
from reml.contract.vectors import DenseVectors, Int64Array, Representations, Similarity, SparseVectors
from reml.index.faiss import FaissIndex
from reml.index.impact import ImpactIndex


@final
class LayeredIndex:
    """Finds the best of what two indexes find: `below`, which never changes, and `above`, which takes what is new."""

    def __init__(self, below: Index, above: Index) -> None:
        self.below, self.above = below, above

    def __len__(self) -> int:
        return len(self.below) + len(self.above)

    def add(self, rows: Int64Array, vectors: Representations) -> None:
        """Add items under row ids that neither holds."""
        self.above.add(rows, vectors)

    def delete(self, rows: Int64Array) -> None:
        """Forget items that were added; `KeyError` for a row of the index below."""
        self.above.delete(rows)

    def search(self, queries: Representations, k: int) -> Hits:
        """Give the k best items of each query, [B, k], ties by row."""
        found = [self.below.search(queries, k), self.above.search(queries, k)]
        rows = np.concatenate([hits.rows for hits in found], axis=1)
        return Hits.ranked(rows, np.concatenate([hits.scores for hits in found], axis=1), k)


def exact_index(vectors: Representations, similarity: Similarity) -> Index:
    """Make an empty exact index in memory for vectors like these; `ValueError` for a kind that none takes."""
    if isinstance(vectors, SparseVectors) and similarity == "dot":
        return ImpactIndex(vectors.width)
    if isinstance(vectors, DenseVectors) and similarity != "maxsim":
        return FaissIndex(vectors.width, "Flat", similarity=similarity)
    raise ValueError(
        f"no index in memory takes {type(vectors).__name__} compared by {similarity!r}, so new items cannot be found: "
        "choose an encoder of one vector a text, such as reml.retrievers.dense.Dense, or reml.retrievers.bm25.BM25."
    )
