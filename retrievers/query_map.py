"""Dense retrieval whose queries learn by a linear map, while the items and their index stay as they are.

    s(q, d) = sim(W f(q) + b, f(d))        W, b: from the identity, trained alone; f: an encoder that stays

The cheapest retriever that learns: no item is encoded again, and each query once, so that a training takes seconds. A
linear map behind a frozen encoder is the linear adapter of Houlsby and others in its simplest place; Yoon et al.,
"Search-Adaptor: Embedding customization for information retrieval", ACL 2024, https://arxiv.org/abs/2310.08750, train a
network of their own behind an encoder of an API in this way.

Deviations from Search-Adaptor: a map of queries alone, without one of items, and any objective in place of theirs.

    retriever: {class_path: reml.retrievers.query_map.QueryMap}
    train: {negatives: dense, objective: {class_path: reml.feedback.contrastive.Contrastive, ...}, ...}

Numbers: benchmarks/configs/factbook.yaml.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, final

import torch
from torch import Tensor, nn

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.indexing import index_encoded
from reml.contract.arguments.checked import checked
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item, Media, texts_of
from reml.contract.retrievers import Retriever
from reml.contract.vectors import DenseVectors, Similarity
from reml.files.weight_digest import digest_with_weights
from reml.index.faiss import Faiss
from reml.retrievers.dense import Dense
from reml.retrievers.encoders.dense_encoder import DenseEncoder
from reml.retrievers.encoders.kept_states import KeptStates

Key = TypeVar("Key")
Value = TypeVar("Value")
# Vectors that are kept in memory, of queries and of items each, 50 MB of width 384.
KEPT = 2**15


@final
class MappedEncoder:
    """A `TrainableEncoder`: a linear map of the vectors of queries is trained; items have the vectors of `frozen`.

    encoder: which stays. frozen: the same, where what it makes is kept.
    """

    def __init__(self, encoder: DenseEncoder, frozen: KeptStates | None = None) -> None:
        self.encoder = encoder
        self._frozen: DenseEncoder | KeptStates = frozen if frozen is not None else encoder
        encoder.module.requires_grad_(False)
        self.module = nn.Linear(encoder.width, encoder.width, device=encoder.model.device)
        nn.init.eye_(self.module.weight)
        nn.init.zeros_(self.module.bias)
        self._queries: dict[str, Tensor] = {}
        self._items: dict[tuple[str, str], Tensor] = {}

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
        vectors = self._known(self._queries, dict(zip(texts, texts, strict=True)), self._frozen.encode_queries)
        mapped: Tensor = self.module(self._laid([vectors[text] for text in texts]))
        return nn.functional.normalize(mapped, dim=-1) if self.encoder.encoding.normalise else mapped

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Give the vectors of items, float32 [N, D], which have no gradient."""
        keys = [(item.title, item.text) for item in items]
        vectors = self._known(self._items, dict(zip(keys, items, strict=True)), self._frozen.encode_items)
        return self._laid([vectors[key] for key in keys])

    def _known(
        self, kept: dict[Key, Tensor], wanted: Mapping[Key, Value], encode: Callable[[Sequence[Value]], DenseVectors]
    ) -> Mapping[Key, Tensor]:
        """Give the vectors of what is wanted by key, each made once as long as there is room to keep it."""
        found = {key: kept[key] for key in wanted if key in kept}
        new = [key for key in wanted if key not in found]
        if new:
            made = torch.from_numpy(encode([wanted[key] for key in new]).values).to(self.module.weight.device)
            found.update(zip(new, made, strict=True))
            kept.update((key, found[key]) for key in new[: max(0, KEPT - len(kept))])
        return found

    def _laid(self, vectors: Sequence[Tensor]) -> Tensor:
        return torch.stack(list(vectors)) if vectors else self.module.weight.new_zeros(0, self.module.in_features)


@checked()
@dataclass(frozen=True)
class QueryMap:
    """Settings of dense retrieval with a linear map of queries; it is to be trained (`train`). dense: what it maps."""

    dense: Dense = field(default_factory=Dense)

    @takes_paths
    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Index a collection as `dense` does, or open the index if it is there and fits, with the map as it begins."""
        return self.index_with(self.encoder(collection, folder), collection, folder)

    @takes_paths
    def encoder(self, collection: Collection, folder: Path) -> MappedEncoder:
        """Give the encoder before its training: its map changes nothing."""
        encoder = self.dense.encoder(collection, folder)
        return MappedEncoder(encoder, KeptStates(encoder, folder) if self.dense.keep_states else None)

    @takes_paths
    def index_with(
        self, encoder: MappedEncoder, collection: Collection, folder: Path
    ) -> EncodedRetriever[MappedEncoder]:
        """Do the same with an encoder at hand, one that was just trained, say."""
        maker = self.dense.index_maker or Faiss(similarity=encoder.encoder.encoding.similarity or "dot")
        return index_encoded(encoder, maker, collection, folder)
