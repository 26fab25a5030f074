"""What an encoder makes of queries and items, compared: the one place where similarities are computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, final

import numpy as np

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Encoder, TrainableEncoder
from reml.contract.vectors import (
    DenseVectors,
    Float32Array,
    Int64Array,
    MultiVectors,
    Representations,
    Similarity,
    SparseVectors,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

# Queries that are compared with the items of all of them at a time.
QUERIES = 256


@final
class EncoderScorer:
    """A `Scorer`: the similarity of what an encoder makes of a query and of an item.

    gradient: whether scores have one, and dropout where the module is in training, if the encoder is a
    `TrainableEncoder`; without it, vectors are those of an index.
    """

    def __init__(self, encoder: Encoder, *, gradient: bool = True) -> None:
        self.encoder = encoder
        self.trainable = encoder if gradient and isinstance(encoder, TrainableEncoder) else None

    @property
    def module(self) -> nn.Module | None:
        """What is trained, if anything is."""
        return self.trainable.module if self.trainable is not None else None

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score at these positions among N distinct items, [Q, K], on the encoder's device; -inf at -1.

        Each query and each item is encoded once. Queries that are vectors are compared as they are.
        """
        import torch

        if not items:
            return torch.full(positions.shape, -torch.inf)
        if self.trainable is not None:
            vectors = encoded(self.trainable, queries, items)
            return at(similarities(*vectors, self.encoder.similarity), positions)
        asked = queries.states if queries.states is not None else self.encoder.encode_queries(queries.said)
        made = self.encoder.encode_items(items)
        parts = [
            _part(asked, made, positions, slice(start, start + QUERIES), self.encoder.similarity)
            for start in range(0, len(positions), QUERIES)
        ]
        return torch.cat(parts) if parts else torch.zeros(positions.shape)


def encoded(encoder: TrainableEncoder, queries: Queries, items: Sequence[Item]) -> tuple[Tensor, Tensor]:
    """Give the vectors of Q queries and of N items, with gradient."""
    vectors = encoder.item_vectors(items)
    if queries.states is None:
        return encoder.query_vectors(queries.said), vectors
    return as_tensor(queries.states).to(vectors), vectors


def similarities(queries: Tensor, items: Tensor, similarity: Similarity) -> Tensor:
    """Compare each query [Q, D] with each item [N, D], [Q, N]; for `maxsim` [Q, L, D] and [N, L, D], zeros padding."""
    if similarity == "maxsim":
        return _maxsim(queries, items)
    if similarity == "cosine":
        queries, items = (vectors / vectors.norm(dim=1, keepdim=True).clamp(min=1e-12) for vectors in (queries, items))
    products = queries @ items.T  # [Q, D] x [D, N] -> [Q, N]
    if similarity != "l2":
        return products
    return _negative_distances(products, queries.square().sum(dim=1), items.square().sum(dim=1))


def at(scores: Tensor, positions: Int64Array) -> Tensor:
    """Take scores [Q, N] at positions [Q, K], -inf at -1."""
    import torch

    if not scores.shape[1]:
        return scores.new_full(positions.shape, -torch.inf)
    there = torch.from_numpy(positions >= 0).to(scores.device)
    places = torch.from_numpy(np.maximum(positions, 0)).to(scores.device)
    return scores.gather(1, places).masked_fill(~there, -torch.inf)


def as_tensor(vectors: Tensor | Representations) -> Tensor:
    """Give representations as a tensor with all its zeros, [n, D], or [n, L, D] where a row has several vectors."""
    import torch

    if isinstance(vectors, torch.Tensor):
        return vectors
    if isinstance(vectors, DenseVectors):
        return torch.from_numpy(vectors.values)
    if isinstance(vectors, MultiVectors):
        return torch.from_numpy(_padded(vectors))
    return torch.from_numpy(_matrix(vectors).toarray())


def _part(
    queries: Tensor | Representations,
    items: Representations,
    positions: Int64Array,
    part: slice,
    similarity: Similarity,
) -> Tensor:
    """Score some queries at their positions, by the items that these name: all pairs of a split would be too many."""
    own = positions[part]
    named = np.unique(own[own >= 0])
    asked = queries.slice(part.start, part.stop) if isinstance(queries, Representations) else queries[part]
    return at(_fixed(asked, items.take(named), similarity), np.where(own >= 0, np.searchsorted(named, own), -1))


def _fixed(queries: Tensor | Representations, items: Representations, similarity: Similarity) -> Tensor:
    import torch

    if similarity == "dot" and isinstance(queries, SparseVectors) and isinstance(items, SparseVectors):
        return torch.from_numpy((_matrix(queries) @ _matrix(items).T).toarray())
    return similarities(as_tensor(queries), as_tensor(items), similarity)


def _negative_distances(products: Tensor, queries: Tensor, items: Tensor) -> Tensor:
    """Compute -|q - i|^2 from products [Q, N] and squared lengths [Q] and [N]; rounding makes none positive."""
    return (2 * products - queries[:, None] - items[None, :]).clamp(max=0)


def _maxsim(queries: Tensor, items: Tensor) -> Tensor:
    """Sum over a query's vectors the largest product with one of the item's, [Q, N]; an item without any has 0."""
    import torch

    products = torch.einsum("qkd,nld->qnkl", queries, items)
    there = (items != 0).any(dim=2)  # [N, L]
    best = products.masked_fill(~there[None, :, None, :], -torch.inf).amax(dim=3)  # [Q, N, K, L] -> [Q, N, K]
    return best.masked_fill(~there.any(dim=1)[None, :, None], 0.0).sum(dim=2)


def _padded(vectors: MultiVectors) -> Float32Array:
    sizes = np.diff(vectors.indptr)
    padded = np.zeros((len(vectors), max(1, int(sizes.max(initial=0))), vectors.width), dtype=np.float32)
    padded[np.arange(padded.shape[1]) < sizes[:, None]] = vectors.values
    return padded


def _matrix(vectors: SparseVectors):  # type: ignore[no-untyped-def] # scipy has no types
    from scipy.sparse import csr_array

    shape = (len(vectors), vectors.width)
    return csr_array((vectors.weights, vectors.dimensions, vectors.indptr), shape=shape)
