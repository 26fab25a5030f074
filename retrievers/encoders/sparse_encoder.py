"""Texts as sparse vectors by a network with non-negative outputs, for searching the impact index and for training.

SNRM and SPLADE are networks of this kind. While training, vectors are tensors [B, V] with all their zeros; everything
else is sparse, and no more than a batch of texts has its zeros at a time.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from reml.contract.arguments.checked import checked
from reml.contract.examples import Item, Media, texts_of
from reml.contract.vectors import Int64Array, Similarity, SparseVectors
from reml.devices.evaluating import evaluating
from reml.devices.precision import Precision, autocast
from reml.devices.progress import tracked
from reml.files.weight_digest import digest_with_weights
from reml.index.sparse import stacked
from reml.retrievers.encoders.token_batches import longest_first, token_batches


class SparseNetwork(nn.Module, abc.ABC):
    """Turns token ids into one vector of weights >= 0 for each text."""

    @property
    @abc.abstractmethod
    def width(self) -> int:
        """The number of dimensions V."""

    @property
    @abc.abstractmethod
    def padding(self) -> int:
        """The id that pads."""

    @property
    @abc.abstractmethod
    def fingerprint(self) -> str:
        """A digest of all but the weights: how it tokenises and what it computes."""

    @abc.abstractmethod
    def tokenise(self, texts: Sequence[str], limit: int) -> list[list[int]]:
        """Give the ids of each text, at most `limit`."""

    @abc.abstractmethod
    def forward(self, ids: Tensor, mask: Tensor, *, asked: bool = False) -> Tensor:
        """Encode ids [B, L] where the mask [B, L] is true, float32 [B, V]. asked: they are those of queries."""


@checked()
@dataclass(frozen=True, kw_only=True)
class TextCut:
    """How much of a text is encoded, and how many at a time.

    query_tokens, item_tokens: what is longer is cut. title: whether an item's title stands before its text. batch_size
    and precision change speed and memory, and the vectors only in the last digits; `auto` is bfloat16 where the machine
    computes in it faster.
    """

    query_tokens: int
    item_tokens: int
    title: bool = True
    batch_size: int = 32
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name in ("query_tokens", "item_tokens", "batch_size"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}.")


@final
class SparseEncoder:
    """A `TrainableEncoder` over a sparse network, on whatever device and in whatever mode it is."""

    def __init__(self, network: SparseNetwork, cut: TextCut) -> None:
        self._network = network
        self.cut = cut

    @property
    def module(self) -> SparseNetwork:
        """What is trained and saved."""
        return self._network

    @property
    def width(self) -> int:
        """The number of dimensions V."""
        return self._network.width

    @property
    def similarity(self) -> Similarity:
        """What its vectors are compared by: the dot product."""
        return "dot"

    def fingerprint(self) -> str:
        """Digest the weights as they are now and all settings that the vectors depend on; reads all weights."""
        settings = asdict(replace(self.cut, batch_size=1, precision="auto"))
        return digest_with_weights(self._network, self._network.fingerprint, settings)

    def encode_queries(self, contents: Sequence[str | Media]) -> SparseVectors:
        """Give one vector for each text, in order, without gradient or dropout."""
        return self._sparse(self._network.tokenise(texts_of(contents, self), self.cut.query_tokens), asked=True)

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        """Give one vector for each item, in order, without gradient or dropout."""
        return self._sparse(self._network.tokenise(self._shown(items), self.cut.item_tokens), asked=False)

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, float32 [B, V]."""
        return self._dense(self._network.tokenise(texts_of(contents, self), self.cut.query_tokens), asked=True)

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, float32 [N, V]."""
        return self._dense(self._network.tokenise(self._shown(items), self.cut.item_tokens), asked=False)

    def _shown(self, items: Sequence[Item]) -> list[str]:
        return [item.full_text(title=self.cut.title) for item in items]

    def _dense(self, ids: Sequence[Sequence[int]], *, asked: bool) -> Tensor:
        if not ids:
            return torch.zeros(0, self.width, device=self._device)
        order = longest_first(ids)
        return torch.cat(list(self._batches(ids, order, asked=asked)))[torch.tensor(order).argsort().to(self._device)]

    def _sparse(self, ids: Sequence[Sequence[int]], *, asked: bool) -> SparseVectors:
        order = longest_first(ids)
        with evaluating(self._network):
            parts = [to_sparse(vectors) for vectors in self._batches(ids, order, asked=asked)]
        return _reordered(stacked([to_sparse(torch.zeros(0, self.width)), *parts]), np.argsort(order))

    def _batches(self, ids: Sequence[Sequence[int]], order: Sequence[int], *, asked: bool) -> Iterator[Tensor]:
        ordered, padding = [ids[place] for place in order], self._network.padding
        batches = token_batches(ordered, self.cut.batch_size, padding=padding, device=self._device)
        for batch in tracked(batches, "encode", unit="texts", size=len):
            with autocast(self._device, self.cut.precision):
                vectors = self._network(batch.ids, batch.mask, asked=asked)
            yield vectors.float()

    @property
    def _device(self) -> torch.device:
        return next(self._network.parameters()).device


def to_sparse(vectors: Tensor) -> SparseVectors:
    """Leave the zeros out of vectors [n, V] of weights >= 0."""
    rows, dimensions = vectors.nonzero(as_tuple=True)
    weights = vectors[rows, dimensions].float().cpu().numpy()
    counts = torch.bincount(rows, minlength=len(vectors)).cpu().numpy()
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
    return SparseVectors(indptr, dimensions.cpu().numpy().astype(np.int32), weights, vectors.shape[1])


def _reordered(vectors: SparseVectors, order: Int64Array) -> SparseVectors:
    """Put row `order[i]` in place i."""
    sizes = np.diff(vectors.indptr)[order]
    indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    taken = np.repeat(vectors.indptr[:-1][order] - indptr[:-1], sizes) + np.arange(indptr[-1])
    return SparseVectors(indptr, vectors.dimensions[taken], vectors.weights[taken], vectors.width)
