"""Representations: rows of sparse or dense vectors, one or several a row, as encoders give and indexes take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]


Int32Array = npt.NDArray[np.int32]


Float32Array = npt.NDArray[np.float32]


Float64Array = npt.NDArray[np.float64]


# How representations are compared, the larger the better: by their dot product, as they are or made of length 1; by
# their squared distance, negative; by the sum, over the vectors of a query, of the largest dot product with a vector of
# the item.
Similarity = Literal["dot", "cosine", "l2", "maxsim"]


@dataclass(frozen=True, eq=False, slots=True)
class SparseVectors:
    """Rows of a CSR matrix [n, width]: row i has `dimensions[indptr[i]:indptr[i + 1]]`, ascending and distinct."""

    indptr: Int64Array
    dimensions: Int32Array
    weights: Float32Array
    width: int

    def __post_init__(self) -> None:
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.dimensions):
            raise ValueError("indptr must start with 0 and end with the number of dimensions given.")
        if len(self.dimensions) != len(self.weights):
            raise ValueError(f"{len(self.dimensions)} dimensions but {len(self.weights)} weights: give one for each.")

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def slice(self, start: int, stop: int) -> SparseVectors:
        """Give the rows from `start` to `stop`, the end exclusive, without a copy."""
        stop = min(stop, len(self))
        if start == 0 and stop == len(self):
            return self  # a single query is, at each search
        first, last = self.indptr[start], self.indptr[stop]
        indptr = self.indptr[start : stop + 1] - first
        return SparseVectors(indptr, self.dimensions[first:last], self.weights[first:last], self.width)

    def take(self, positions: Int64Array) -> SparseVectors:
        """Give the rows at these positions, in this order."""
        counts = np.diff(self.indptr)[positions]
        indptr = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts, dtype=np.int64)])
        places = np.repeat(self.indptr[positions] - indptr[:-1], counts) + np.arange(indptr[-1])
        return SparseVectors(indptr, self.dimensions[places], self.weights[places], self.width)


@dataclass(frozen=True, eq=False, slots=True)
class DenseVectors:
    """Rows of float32 [n, D]."""

    values: Float32Array

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise ValueError(f"dense vectors are float32 [n, D], not {self.values.dtype} {self.values.shape}.")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def width(self) -> int:
        """The number of dimensions D."""
        return int(self.values.shape[1])

    def slice(self, start: int, stop: int) -> DenseVectors:
        """Give the rows from `start` to `stop`, the end exclusive, without a copy."""
        return DenseVectors(self.values[start:stop])

    def take(self, positions: Int64Array) -> DenseVectors:
        """Give the rows at these positions, in this order."""
        return DenseVectors(self.values[positions])


@dataclass(frozen=True, eq=False, slots=True)
class MultiVectors:
    """Several vectors a row: row i has `values[indptr[i]:indptr[i + 1]]` of float32 [M, D]."""

    indptr: Int64Array
    values: Float32Array

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.dtype != np.float32:
            raise ValueError(f"vectors are float32 [M, D], not {self.values.dtype} {self.values.shape}.")
        if len(self.indptr) == 0 or self.indptr[0] != 0 or self.indptr[-1] != len(self.values):
            raise ValueError("indptr must start with 0 and end with the number of vectors given.")
        if (np.diff(self.indptr) < 0).any():
            raise ValueError("indptr must not fall: it says where the vectors of each row end.")

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def width(self) -> int:
        """The number of dimensions D."""
        return int(self.values.shape[1])

    def slice(self, start: int, stop: int) -> MultiVectors:
        """Give the rows from `start` to `stop`, the end exclusive, without a copy."""
        first, last = self.indptr[start], self.indptr[min(stop, len(self))]
        return MultiVectors(self.indptr[start : min(stop, len(self)) + 1] - first, self.values[first:last])

    def take(self, positions: Int64Array) -> MultiVectors:
        """Give the rows at these positions, in this order."""
        parts = [self.slice(int(position), int(position) + 1) for position in positions]
        indptr = np.cumsum([0, *(len(part.values) for part in parts)], dtype=np.int64)
        return MultiVectors(indptr, np.concatenate([self.values[:0], *(part.values for part in parts)]))


Representations = SparseVectors | DenseVectors | MultiVectors
