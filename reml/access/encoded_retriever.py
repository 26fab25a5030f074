"""A retriever is an encoder and an index over a collection; its folder is served only to what it was built for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar, final

import numpy as np

from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Encoder, Index, TrainableEncoder
from reml.contract.vectors import DenseVectors, Int64Array, Representations, SparseVectors

if TYPE_CHECKING:
    from torch import Tensor

Encoder_co = TypeVar("Encoder_co", bound=Encoder, covariant=True)


@final
class EncodedRetriever(Generic[Encoder_co]):
    """Finds items by the dot product of what `encoder` makes of queries and items, with `index` over `collection`."""

    def __init__(self, collection: Collection, encoder: Encoder_co, index: Index) -> None:
        self.collection = collection
        self.encoder = encoder
        self.index = index
        self._trainable = encoder if isinstance(encoder, TrainableEncoder) else None

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; a blank text has no hits. `ValueError` if k < 1."""
        if k < 1:
            raise ValueError(f"k is a number of items, 1 or more, not {k}.")
        if queries.vectors is not None:
            return self.index.search(queries.vectors, k)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        asked = [place for place, text in enumerate(queries.texts) if text.strip()]
        if asked:
            vectors = self.encoder.encode_queries([queries.texts[place] for place in asked])
            hits = self.index.search(vectors, k)
            rows[asked], scores[asked] = hits.rows, hits.scores
        return Hits(rows, scores)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Compute the scores of given rows [B, K] anew, -inf for row -1.

        With gradient, and on the device of its parameters, where the encoder is a `TrainableEncoder`. Each distinct
        item is encoded once. `ValueError` if `rows` is not [B, K]; `KeyError` for a row the collection does not have.
        """
        import torch

        if rows.ndim != 2 or len(rows) != len(queries):
            raise ValueError(f"rows must be [B, K] for {len(queries)} queries, not {rows.shape}.")
        there = rows >= 0
        distinct = np.unique(rows[there])
        if not len(distinct):
            return torch.full(rows.shape, -torch.inf)
        products = self._products(queries, self.collection.get(distinct))  # [B, N]
        places = torch.from_numpy(np.searchsorted(distinct, rows)).to(products.device)
        missing = torch.from_numpy(~there).to(products.device)
        return products.gather(1, places).masked_fill(missing, -torch.inf)

    def extend(self, items: Sequence[Item]) -> None:
        """Make items findable that were appended to the collection; `ValueError` for a row that is indexed already."""
        if items:
            rows = np.array([item.row for item in items], dtype=np.int64)
            self.index.add(rows, self.encoder.encode_items(items))

    def _products(self, queries: Queries, items: Sequence[Item]) -> Tensor:
        if self._trainable is not None:
            return _trainable_products(self._trainable, queries, items)
        vectors = queries.vectors if queries.vectors is not None else self.encoder.encode_queries(queries.texts)
        return _fixed_products(vectors, self.encoder.encode_items(items))


def _trainable_products(encoder: TrainableEncoder, queries: Queries, items: Sequence[Item]) -> Tensor:
    item_vectors = encoder.item_vectors(items)
    if queries.vectors is None:
        return encoder.query_vectors(queries.texts) @ item_vectors.T  # [B, D] x [D, N] -> [B, N]
    return _dense(queries.vectors).to(item_vectors) @ item_vectors.T


def _fixed_products(queries: Representations, items: Representations) -> Tensor:
    import torch

    if isinstance(queries, SparseVectors) and isinstance(items, SparseVectors):
        return torch.from_numpy((_matrix(queries) @ _matrix(items).T).toarray())
    return _dense(queries) @ _dense(items).T


def _dense(vectors: Representations) -> Tensor:
    import torch

    values = vectors.values if isinstance(vectors, DenseVectors) else _matrix(vectors).toarray()
    return torch.from_numpy(values)


def _matrix(vectors: SparseVectors):  # type: ignore[no-untyped-def]
    from scipy.sparse import csr_array

    shape = (len(vectors), vectors.width)
    return csr_array((vectors.weights, vectors.dimensions, vectors.indptr), shape=shape)
