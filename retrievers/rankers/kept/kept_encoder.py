"""An encoder that reads what is kept of items, and makes what is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Generic, Self, TypeVar, final

import numpy as np

from reml.contract.collections import Collection
from reml.contract.examples import Item, Media
from reml.contract.retrievers import Encoder
from reml.contract.vectors import DenseVectors, MultiVectors, Representations, Similarity, SparseVectors
from reml.files.atomic import digest
from reml.retrievers.rankers.kept.compression import AnyForm
from reml.retrievers.rankers.kept.item_vectors import ItemVectors

EncoderT = TypeVar("EncoderT", bound=Encoder)


@final
class KeptEncoder(Generic[EncoderT]):
    """An `Encoder` of one dense or sparse vector an item; `vectors` are those of the items of a collection.

    title: whether `encoder` reads an item's title before its text.
    """

    def __init__(self, encoder: EncoderT, vectors: ItemVectors, *, title: bool) -> None:
        self.encoder, self._vectors, self._listed = encoder, vectors, _Listed(encoder, title=title)

    @classmethod
    def over(cls, encoder: EncoderT, collection: Collection, folder: Path, form: AnyForm, *, title: bool) -> Self:
        """Encode the items of a collection into a folder of its own in `folder`, or open what is there."""
        vectors = ItemVectors.build_in(folder, collection, _Listed(encoder, title=title), form)
        return cls(encoder, vectors, title=title)

    @property
    def similarity(self) -> Similarity:
        """That of the encoder."""
        return self.encoder.similarity

    def fingerprint(self) -> str:
        """Digest the encoder, and that what is kept may be rounded."""
        return digest("kept", self.encoder.fingerprint())

    def encode_queries(self, contents: Sequence[str | Media]) -> Representations:
        """Encode queries as the encoder does."""
        return self.encoder.encode_queries(contents)

    def encode_items(self, items: Sequence[Item]) -> Representations:
        """Read the vectors of items, in order; those of items that are not kept, or not as shown, are made."""
        return self._listed.given(self._vectors.of(items, self._listed), self.encoder.encode_queries([]))


@final
class _Listed:
    """An `ItemEncoder`: a vector of an item as a list of one, a sparse one as pairs of a dimension and its weight."""

    def __init__(self, encoder: Encoder, *, title: bool) -> None:
        self._encoder, self._title = encoder, title

    def fingerprint(self) -> str:
        return self._encoder.fingerprint()

    def text_of(self, item: Item) -> str:
        return item.full_text(title=self._title)

    def encode_items(self, items: Sequence[Item]) -> MultiVectors:
        made = self._encoder.encode_items(items)
        if isinstance(made, SparseVectors):
            return MultiVectors(made.indptr, np.stack([made.dimensions, made.weights], axis=1, dtype=np.float32))
        assert isinstance(made, DenseVectors)  # noqa: S101 - `KeptEncoder` is of no other
        return MultiVectors(np.arange(len(items) + 1, dtype=np.int64), made.values)

    @staticmethod
    def given(vectors: MultiVectors, like: Representations) -> Representations:
        """Give vectors as the encoder makes them, which `like` is one of."""
        if isinstance(like, SparseVectors):
            dimensions, weights = vectors.values[:, 0].astype(np.int32), vectors.values[:, 1]
            return SparseVectors(vectors.indptr, dimensions, np.ascontiguousarray(weights), like.width)
        return DenseVectors(vectors.values)
