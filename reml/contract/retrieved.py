"""What goes into an access model and what comes out of it: queries, hits and responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from reml.contract.examples import Item
from reml.contract.vectors import Float32Array, Int64Array, Representations

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Queries:
    """A batch of queries; `owners[i]` is the position in the batch of examples that query i was made for, ascending.

    `vectors` holds queries that are representations from the start (weighted terms of relevance feedback, a hidden
    state): a retriever then searches them as they are and `texts` only says what they stand for.
    """

    texts: tuple[str, ...]
    owners: Int64Array
    vectors: Representations | None = None

    def __post_init__(self) -> None:
        if len(self.texts) != len(self.owners):
            raise ValueError(f"{len(self.texts)} texts but {len(self.owners)} owners: give one for each query.")
        if self.vectors is not None and len(self.vectors) != len(self.texts):
            raise ValueError(f"{len(self.texts)} texts but {len(self.vectors)} vectors: give one for each query.")

    def __len__(self) -> int:
        return len(self.texts)

    @classmethod
    def of(cls, texts: Sequence[str]) -> Self:
        """Make one query for each example, in order."""
        return cls(tuple(texts), np.arange(len(texts), dtype=np.int64))


@dataclass(frozen=True, eq=False, slots=True)
class Hits:
    """Rows int64 [B, K] and scores float32 [B, K]: best first, ties by row, padded with -1 and -inf at the end."""

    rows: Int64Array
    scores: Float32Array

    def __post_init__(self) -> None:
        if self.rows.ndim != 2 or self.rows.shape != self.scores.shape:
            raise ValueError(f"rows {self.rows.shape} and scores {self.scores.shape} must both be [B, K].")

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def k(self) -> int:
        """The number of places K for each query, padding included."""
        return int(self.rows.shape[1])

    @property
    def mask(self) -> npt.NDArray[np.bool_]:
        """True where there is an item, [B, K]."""
        return self.rows >= 0

    def first(self, k: int) -> Hits:
        """Keep the k best of each query."""
        return Hits(self.rows[:, :k], self.scores[:, :k])

    @classmethod
    def ranked(cls, rows: Int64Array, scores: Float32Array, k: int) -> Self:
        """Sort candidates [B, C] by score, ties by row, and keep k places; rows of -1 count as padding."""
        scores = np.where(rows >= 0, scores, -np.inf).astype(np.float32)
        order = np.lexsort((np.where(rows >= 0, rows, np.iinfo(np.int64).max), -scores), axis=1)[:, :k]
        rows, scores = np.take_along_axis(rows, order, 1), np.take_along_axis(scores, order, 1)
        missing = ((0, 0), (0, max(0, k - rows.shape[1])))
        return cls(
            np.pad(rows, missing, constant_values=-1).astype(np.int64),
            np.pad(scores, missing, constant_values=-np.inf).astype(np.float32),
        )


@dataclass(frozen=True, eq=False, slots=True)
class Responses:
    """What a predictor receives: for each of B examples at most K items, best first.

    `items[b]` holds the items themselves (no padding); `rows` int64 [B, K] is padded with -1; `scores` float32 [B, K]
    is padded with -inf and differentiable while a retriever trains; `mask` bool [B, K] is true where there is an item.
    """

    items: tuple[tuple[Item, ...], ...]
    rows: Int64Array
    scores: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.items)

    @property
    def k(self) -> int:
        """The number of places K for each example, padding included."""
        return int(self.rows.shape[1])
