"""Values that cross the rooms of reml.

Shape letters, everywhere the same: B examples or queries, K retrieved items, L item tokens, T target tokens, D hidden,
V vocabulary (dimensions of a sparse vector), N items of a collection.

Values are frozen. The ones that hold arrays compare by identity: compare their arrays.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
Float32Array = npt.NDArray[np.float32]
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
Measure = Literal["accuracy", "em", "f1", "rougel"]


@dataclass(frozen=True, slots=True)
class Span:
    """Where a text stands in its page: paragraph numbers and character offsets in them, the end exclusive."""

    start_paragraph: int
    start_character: int
    end_paragraph: int
    end_character: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a knowledge source as KILT has it: `paragraphs[0]` is the title, the text starts at 1."""

    id: str
    title: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a collection. `row` is its stable id, never reused; `span` is where it stands in its page."""

    row: int
    text: str
    title: str
    page_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer comes from, with the names of KILT's record. What the record leaves out is `None`."""

    wikipedia_id: str
    title: str | None = None
    start_paragraph_id: int | None = None
    start_character: int | None = None
    end_paragraph_id: int | None = None
    end_character: int | None = None
    bleu_score: float | None = None
    section: str | None = None
    text: str | None = None
    meta: Mapping[str, Json] | None = None

    @classmethod
    def of(cls, item: Item) -> Provenance:
        """Point to the whole of a retrieved item."""
        span = item.span
        return cls(
            wikipedia_id=item.page_id,
            title=item.title,
            start_paragraph_id=span.start_paragraph,
            start_character=span.start_character,
            end_paragraph_id=span.end_paragraph,
            end_character=span.end_character,
            text=item.text,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and where it comes from, best first. In gold records either part may be missing."""

    text: str | None = None
    provenance: tuple[Provenance, ...] = ()
    meta: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """KILT's record. Each output is one right answer with one sufficient set of evidence; a test split has none."""

    id: str
    input: str
    output: tuple[Answer, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)

    @property
    def answers(self) -> tuple[str, ...]:
        """The distinct right answers, in the order of the record."""
        return tuple(dict.fromkeys(answer.text for answer in self.output if answer.text))


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
        first, last = self.indptr[start], self.indptr[stop]
        indptr = self.indptr[start : stop + 1] - first
        return SparseVectors(indptr, self.dimensions[first:last], self.weights[first:last], self.width)


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


Representations = SparseVectors | DenseVectors


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


class Signal(enum.Flag):
    """What an objective may ask for, beside the predictor's loss.

    ITEM_UTILITY is said by a `Judge`, and IN_BATCH by the training regime, from the items of the other examples; all
    else is the predictor's to give. NULL_LIKELIHOOD can be asked of any predictor that gives LEAVE_ONE_OUT.
    """

    NONE = 0
    ITEM_LIKELIHOOD = enum.auto()
    TOKEN_LIKELIHOOD = enum.auto()
    ATTENTION = enum.auto()
    SAMPLES = enum.auto()
    LEAVE_ONE_OUT = enum.auto()
    ITEM_UTILITY = enum.auto()
    IN_BATCH = enum.auto()
    NULL_LIKELIHOOD = enum.auto()


@dataclass(frozen=True, eq=False, slots=True)
class InBatch:
    """What the other examples of a batch retrieved, M items for each example, its own items masked.

    scores: [B, M], with gradient. mask: bool [B, M]. utility: [B, M], 0 where masked, as `Prediction.item_utility`.
    """

    scores: Tensor
    mask: Tensor
    utility: Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Prediction:
    """What a predictor's loss gives. Only `loss` is always there; the rest where `Signal` asks for it.

    loss: [B]. item_log_likelihood: log p(y | x, item), [B, K], -inf where masked. token_log_likelihood: the same for
    each target token, [B, K, T], 0 past the end. target_mask: [B, T], true on target tokens. attention: mass for each
    item, [B, K]. leave_one_out: log p(y | x, all items but this one), [B, K], -inf where masked.
    samples: outputs, S for each example, the right answer first and the others drawn from the predictor.
    sample_log_likelihood: log p(sample | x, item), [B, S, K], -inf where masked. utilities: of the samples, [B, S].
    item_utility: how useful each item is, larger is better, [B, K], 0 where masked. in_batch: items of other examples.
    null_log_likelihood: log p(y | x) without any item, [B, 1], -inf for an example that has none.
    """

    loss: Tensor
    item_log_likelihood: Tensor | None = None
    token_log_likelihood: Tensor | None = None
    target_mask: Tensor | None = None
    attention: Tensor | None = None
    leave_one_out: Tensor | None = None
    samples: tuple[tuple[Answer, ...], ...] | None = None
    sample_log_likelihood: Tensor | None = None
    utilities: Tensor | None = None
    item_utility: Tensor | None = None
    in_batch: InBatch | None = None
    null_log_likelihood: Tensor | None = None


@dataclass(frozen=True, eq=False, slots=True)
class FeedbackRecord:
    """How useful items were to a predictor: kept on disk, any objective can learn from it later.

    queries: B texts. rows: int64 [B, K], -1 pads. utilities: float32 [B, K], larger is better, 0 at padding. judge: who
    judged. versions: of the models that retrieved and judged, by name.
    """

    queries: tuple[str, ...]
    rows: Int64Array
    utilities: Float32Array
    judge: str
    versions: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.rows.shape != self.utilities.shape or len(self.queries) != len(self.rows):
            raise ValueError(
                f"{len(self.queries)} queries, rows {self.rows.shape} and utilities {self.utilities.shape} do not fit: "
                "rows and utilities are [B, K] for B queries."
            )
        if not np.isfinite(self.utilities).all():
            raise ValueError("utilities must be finite; give 0 where an item could not be judged.")
