"""Dense retrieval whose queries learn by a linear map, while the items and their index stay as they are.

    s(q, d) = sim(W f(q) + b, f(d))        W, b: from the identity, trained alone; f: an encoder that stays

The cheapest retriever that learns: no item is encoded again, and each query once, so that a training takes seconds.
Yoon et al., "Search-Adaptor: Embedding customization for information retrieval", ACL 2024,
https://arxiv.org/abs/2310.08750, train a network of their own behind an encoder of an API in this way.

Deviations from Search-Adaptor: a map of queries alone, without one of items, and any objective in place of theirs.

    retriever: {class_path: reml.retrievers.query_map.QueryMap}
    train: {negatives: dense, objective: {class_path: reml.feedback.contrastive.Contrastive, ...}, ...}

Numbers: benchmarks/configs/factbook.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, final

import torch
from torch import Tensor, nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.access.query_side import KeptVectors
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Bounds
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item, Media, texts_of
from reml.contract.retrievers import Retriever
from reml.contract.vectors import DenseVectors, Similarity
from reml.devices.precision import autocast
from reml.files.weight_digest import digest_with_weights
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import DenseEncoder
from reml.retrievers.encoders.kept_states import KeptStates


@final
class MappedEncoder:
    """A `TrainableEncoder`: a linear map of the vectors of queries is trained; items have the vectors of `frozen`.

    encoder: which stays. frozen: the same, where what it makes is kept. dropout: of a query's dimensions, in training.
    """

    def __init__(self, encoder: DenseEncoder, frozen: KeptStates | None = None, dropout: float = 0.0) -> None:
        self.encoder, self.dropout = encoder, dropout
        self._frozen: DenseEncoder | KeptStates = frozen if frozen is not None else encoder
        encoder.module.requires_grad_(False)
        self.module = nn.Linear(encoder.width, encoder.width, device=encoder.model.device)
        nn.init.eye_(self.module.weight)
        nn.init.zeros_(self.module.bias)
        self._queries = KeptVectors[str, str](lambda texts: self._laid(self._frozen.encode_queries(texts)))
        self._items = KeptVectors[tuple[str, str], Item](lambda items: self._laid(self.encode_items(items)))

    @property
    def similarity(self) -> Similarity:
        """How a query's vector and an item's are compared."""
        return self.encoder.similarity

    def fingerprint(self) -> str:
        """Digest the encoder and the map as it is now."""
        return digest_with_weights(self.module, self.encoder.fingerprint())

    @torch.no_grad()
    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        """Give one vector for each text, in order, without gradient."""
        return DenseVectors(self.query_vectors(contents).cpu().numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        """Give one vector for each item, in order: that of the encoder."""
        return self._frozen.encode_items(items)

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient of the map, float32 [B, D]."""
        texts = texts_of(contents, self)
        learning = self.module.training and torch.is_grad_enabled()
        given = nn.functional.dropout(self._queries.of(texts, texts), self.dropout, learning)
        with autocast(given.device, "float32"):
            mapped: Tensor = self.module(given)
        return nn.functional.normalize(mapped, dim=-1) if self.encoder.encoding.normalise else mapped

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Give the vectors of items, float32 [N, D], which have no gradient."""
        return self._items.of([(item.title, item.text) for item in items], items)

    def _laid(self, vectors: DenseVectors) -> Tensor:
        return torch.from_numpy(vectors.values).to(self.module.weight.device)


@checked()
@dataclass(frozen=True)
class QueryMap:
    """Settings of dense retrieval with a linear map of queries; it is to be trained (`train`). dense: what it maps.

    dropout: which share of a query's dimensions is left out at random in training, so that wordings that were never
    seen are mapped as well (on factbook's, evidence at rank 1 for unseen wordings of qa .67 without, .72 with 0.5; the
    first of two pages among 4: .57 and .84).
    """

    dense: Dense = field(default_factory=Dense)
    dropout: Annotated[float, Bounds(least=0, below=1)] = 0.0

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Index a collection as `dense` does, or open the index if it is there and fits, with the map as it begins."""
        return self.index_with(self.encoder(collection, folder), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> MappedEncoder:
        """Give the encoder before its training: its map changes nothing."""
        encoder = self.dense.encoder(collection, folder)
        return MappedEncoder(encoder, KeptStates(encoder, folder) if self.dense.keep_states else None, self.dropout)

    @takes_paths
    def index_with(
        self, encoder: MappedEncoder, collection: Collection, folder: Path
    ) -> EncodedRetriever[MappedEncoder]:
        """Do the same with an encoder at hand, one that was just trained, say."""
        return index_encoded(encoder, self.dense.maker(encoder.encoder), collection, folder)
