"""Real texts as a model encodes them: their vectors have the clusters and the skew that random ones lack.

Encoded once: the vectors are kept in a folder that later benchmarks share, and a stopped one goes on from there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from reml.benchmarks.speed.workloads.real_texts import RealTexts
from reml.benchmarks.speed.workloads.text_collection import TextCollection
from reml.contract.collections import Collection
from reml.contract.retrievers import Encoder
from reml.contract.vectors import SparseVectors
from reml.files.atomic import digest
from reml.files.origin import Origin
from reml.index.encoded_shards import Shards, encode_collection

# Makes the encoder of a collection; what it keeps goes to the folder.
EncoderOf = Callable[[Collection, Path], Encoder]


class RealVectors:
    """Sparse vectors of real texts and queries. kept: the folder in which vectors of items stay."""

    def __init__(self, texts: RealTexts, encoder_of: EncoderOf, kept: Path) -> None:
        self._texts, self._kept = texts, kept
        passages = list(texts.texts())
        self._collection = TextCollection(digest("real texts", *passages), len(passages), passages.__iter__)
        self._encoder = encoder_of(self._collection, kept / "encoder")

    def batches(self) -> Iterator[SparseVectors]:
        """Yield the vectors of the passages in batches, row 0 first; `ValueError` for an encoder of dense ones."""
        origin = Origin.of(self._collection, self._encoder.fingerprint())
        folder = self._kept / digest(origin.collection, origin.encoder)
        for _, vectors in Shards(encode_collection(self._collection, self._encoder, folder, origin=origin)):
            yield _sparse(vectors)

    def queries(self, count: int) -> Mapping[str, SparseVectors]:
        """Encode the first `count` queries of each set."""
        asked = self._texts.queries(count)
        return {name: _sparse(self._encoder.encode_queries(texts)) for name, texts in asked.items()}


def _sparse(vectors: object) -> SparseVectors:
    if not isinstance(vectors, SparseVectors):
        raise ValueError(f"the encoder gives {type(vectors).__name__}, and sparse vectors are compared: name another.")
    return vectors
