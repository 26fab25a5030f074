"""Vectors in few bytes: half precision, whole numbers of one byte, residuals of two bits; terms with weights.

Residuals: Santhanam et al., "ColBERTv2: Effective and Efficient Retrieval via Lightweight Late Interaction", NAACL
2022, section 3.3, https://arxiv.org/abs/2112.01488. A vector is the number of its nearest centroid and, for each
dimension, in which quarter of all residuals its own lies; read, it is the centroid and the middle of those quarters,
made of length 1 again. Centroids are by k-means (FAISS), as many as the power of two below 16 times the root of the
number of vectors. Deviation: at most `CENTROIDS`, so that a number has two bytes and one thread learns them in seconds.

Bytes of a vector of D dimensions: 2 D, D + 2, D / 4 + 2. A dimension of a sparse vector and its weight: 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from reml.contract.vectors import Float32Array

Form = Literal["float16", "int8", "residual"]
AnyForm = Form | Literal["terms"]
Codes = NDArray[np.uint8]  # [M, bytes of a vector]
CENTROIDS = 1_024
# FAISS wants so many vectors a centroid at least, and takes no more than this many.
LEAST, MOST = 39, 128
ROUNDS, SEED = 10, 0
# Where in the order of all residuals the quarters end, and where their middles are.
ENDS, MIDDLES = (0.25, 0.5, 0.75), (0.125, 0.375, 0.625, 0.875)
PLACES = np.array([0, 2, 4, 6], dtype=np.uint8)  # of the bits of four dimensions in a byte
TOGETHER = 2**14
TINY = np.float32(1e-12)


class Compression(Protocol):
    """Writes vectors as codes, and reads them."""

    @classmethod
    def learnt(cls, sample: Float32Array, total: int) -> Self:
        """Learn what codes stand for from a sample [n, D] of `total` vectors."""

    @property
    def size(self) -> int:
        """The bytes of a vector."""

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """What was learnt, which makes it again."""

    def encode(self, vectors: Float32Array) -> Codes:
        """Give the codes of vectors [M, D]."""

    def decode(self, codes: Codes) -> Float32Array:
        """Give about the vectors that codes were made of."""


@final
@dataclass(frozen=True, eq=False)
class Half:
    """Half precision."""

    width: NDArray[np.int64]

    @classmethod
    def learnt(cls, sample: Float32Array, total: int) -> Self:
        """Learn nothing but the width."""
        del total
        return cls(np.array(sample.shape[1]))

    @property
    def size(self) -> int:
        """The bytes of a vector."""
        return 2 * int(self.width)

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """The width."""
        return {"width": self.width}

    def encode(self, vectors: Float32Array) -> Codes:
        """Round each number."""
        return np.ascontiguousarray(vectors.astype(np.float16)).view(np.uint8)

    def decode(self, codes: Codes) -> Float32Array:
        """Give the rounded numbers."""
        return np.ascontiguousarray(codes).view(np.float16).astype(np.float32)


@final
@dataclass(frozen=True, eq=False)
class Whole:
    """Whole numbers from -127 to 127, and half precision for the scale of each vector, its largest number."""

    width: NDArray[np.int64]

    @classmethod
    def learnt(cls, sample: Float32Array, total: int) -> Self:
        """Learn nothing but the width."""
        del total
        return cls(np.array(sample.shape[1]))

    @property
    def size(self) -> int:
        """The bytes of a vector."""
        return int(self.width) + 2

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """The width."""
        return {"width": self.width}

    def encode(self, vectors: Float32Array) -> Codes:
        """Divide by the scale and round; the scale stands first."""
        scales = np.abs(vectors).max(axis=1, initial=0, keepdims=True).astype(np.float16)
        parts = vectors * (127 / np.maximum(scales.astype(np.float32), TINY))
        numbers = np.clip(np.rint(parts), -127, 127).astype(np.int8)
        return np.concatenate([scales.view(np.uint8), numbers.view(np.uint8)], axis=1)

    def decode(self, codes: Codes) -> Float32Array:
        """Multiply with the scale."""
        scales = np.ascontiguousarray(codes[:, :2]).view(np.float16).astype(np.float32) / 127
        return (np.ascontiguousarray(codes[:, 2:]).view(np.int8) * scales).astype(np.float32)


@final
@dataclass(frozen=True, eq=False)
class Residuals:
    """A centroid and two bits a dimension. centroids: float32 [C, D]. ends [3] and middles [4] of the quarters."""

    centroids: Float32Array
    ends: Float32Array
    middles: Float32Array

    @classmethod
    def learnt(cls, sample: Float32Array, total: int) -> Self:
        """Find the centroids by k-means, and the quarters of the residuals."""
        import faiss

        if not len(sample):
            return cls(np.zeros((1, sample.shape[1]), np.float32), np.zeros(3, np.float32), np.zeros(4, np.float32))
        wanted = 2 ** int(np.log2(16 * np.sqrt(max(1, total))))
        count = max(1, min(wanted, CENTROIDS, len(sample) // LEAST))
        means = faiss.Kmeans(sample.shape[1], count, niter=ROUNDS, seed=SEED, max_points_per_centroid=MOST)
        means.train(np.ascontiguousarray(sample))
        assert means.centroids is not None  # noqa: S101 - once trained
        made = cls(means.centroids.reshape(count, -1), np.empty(0, np.float32), np.empty(0, np.float32))
        some = sample[:: -(-len(sample) // TOGETHER)]
        residuals = some - made.centroids[made.nearest(some)]
        ends, middles = (np.quantile(residuals, shares).astype(np.float32) for shares in (ENDS, MIDDLES))
        return cls(made.centroids, ends, middles)

    @property
    def size(self) -> int:
        """The bytes of a vector."""
        return -(-int(self.centroids.shape[1]) // 4) + 2

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Centroids and quarters."""
        return {"centroids": self.centroids, "ends": self.ends, "middles": self.middles}

    def nearest(self, vectors: Float32Array) -> NDArray[np.uint16]:
        """Give the number of the nearest centroid of each vector."""
        lengths = np.square(self.centroids).sum(axis=1) / 2
        parts = np.split(vectors, range(TOGETHER, len(vectors), TOGETHER))
        return np.concatenate([(part @ self.centroids.T - lengths).argmax(axis=1) for part in parts]).astype(np.uint16)

    def encode(self, vectors: Float32Array) -> Codes:
        """Give the centroid, in two bytes, and the quarters of four dimensions in each further byte."""
        nearest = self.nearest(vectors)
        quarters = np.searchsorted(self.ends, vectors - self.centroids[nearest]).astype(np.uint8)
        four = np.pad(quarters, ((0, 0), (0, -quarters.shape[1] % 4))).reshape(len(vectors), self.size - 2, 4)
        packed = (four << PLACES).sum(axis=2, dtype=np.uint8)
        return np.concatenate([nearest[:, None].view(np.uint8), packed], axis=1)

    def decode(self, codes: Codes) -> Float32Array:
        """Add the middles of the quarters to the centroids, and make the sum of length 1."""
        nearest = np.ascontiguousarray(codes[:, :2]).view(np.uint16)[:, 0]
        quarters = self._bytes[codes[:, 2:]].reshape(len(codes), 4 * (self.size - 2))[:, : self.centroids.shape[1]]
        vectors = self.centroids[nearest] + quarters
        made: Float32Array = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), TINY)
        return made

    @property
    def _bytes(self) -> Float32Array:
        """What each byte says of its four dimensions, [256, 4]."""
        quarters = (np.arange(256, dtype=np.uint8)[:, None] >> PLACES) & 3
        found: Float32Array = self.middles[quarters]
        return found


@final
@dataclass(frozen=True, eq=False)
class Terms:
    """Pairs of a dimension, whole below 2^24, and its weight, neither rounded."""

    @classmethod
    def learnt(cls, sample: Float32Array, total: int) -> Self:
        """Learn nothing."""
        del sample, total
        return cls()

    @property
    def size(self) -> int:
        """The bytes of a pair."""
        return 8

    @property
    def tensors(self) -> Mapping[str, NDArray[Any]]:
        """Nothing."""
        return {}

    def encode(self, vectors: Float32Array) -> Codes:
        """Give the bytes of pairs [M, 2]."""
        return np.ascontiguousarray(vectors, dtype=np.float32).view(np.uint8)

    def decode(self, codes: Codes) -> Float32Array:
        """Give the pairs."""
        return np.ascontiguousarray(codes).view(np.float32)


FORMS: Mapping[AnyForm, type[Half | Whole | Residuals | Terms]] = {
    "float16": Half,
    "int8": Whole,
    "residual": Residuals,
    "terms": Terms,
}
