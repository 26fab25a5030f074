"""The contract of reml: what each part of a retrieval-enhanced model must do.

    y = f(x; g_1, ..., g_N)      f: `Predictor`      g: `InformationAccess` (reml/access.py), made of the parts below

A class fulfils a protocol by having its methods; no base class is needed. `reml.testing` has a contract test for each
protocol that is written by users: inherit it and give it an instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from reml.types import (
    Answer,
    Example,
    FeedbackRecord,
    Hits,
    Int64Array,
    Item,
    Measure,
    Page,
    Prediction,
    Queries,
    Representations,
    Responses,
    Signal,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


class KnowledgeSource(Protocol):
    """Pages as KILT has them, streamed."""

    @property
    def fingerprint(self) -> str:
        """A digest that changes when the pages do; cheap to compute."""

    def pages(self) -> Iterator[Page]:
        """Yield every page once, in an order that never changes."""


@runtime_checkable
class Collection(Protocol):
    """A versioned table of items, each with a stable row id that is never reused."""

    @property
    def fingerprint(self) -> str:
        """A digest of this version's content."""

    @property
    def version(self) -> int:
        """The number of this version, from 1."""

    def __len__(self) -> int:
        """Count the items that are not deleted."""

    def rows(self) -> Int64Array:
        """All row ids that are not deleted, ascending, int64 [N]."""

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order, duplicates included; `KeyError` for a row that is not there."""

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from row id `start` on in row order, at most `size` at a time, in bounded memory."""


class Encoder(Protocol):
    """Turns queries and items into representations of one space, so that relevance is their dot product."""

    @property
    def fingerprint(self) -> str:
        """A digest of everything the representations depend on, weights included."""

    def encode_queries(self, texts: Sequence[str]) -> Representations:
        """Give one representation for each text, in order, without gradient."""

    def encode_items(self, items: Sequence[Item]) -> Representations:
        """Give one representation for each item, in order, without gradient."""


@runtime_checkable
class TrainableEncoder(Encoder, Protocol):
    """An encoder with parameters."""

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""

    def query_vectors(self, texts: Sequence[str]) -> Tensor:
        """Encode with gradient, [B, D]."""

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, [N, D]."""


class Index(Protocol):
    """Finds the k best items for representations."""

    def __len__(self) -> int:
        """Count the items it holds."""

    def add(self, rows: Int64Array, vectors: Representations) -> None:
        """Add items under new row ids; `ValueError` for a row it holds already or vectors of another width or kind."""

    def delete(self, rows: Int64Array) -> None:
        """Forget these items; `KeyError` for a row it does not hold."""

    def search(self, queries: Representations, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; `ValueError` if k < 1. Fewer items than k leave padding."""


class Retriever(Protocol):
    """Finds items of one collection for queries."""

    @property
    def collection(self) -> Collection:
        """Where the rows of its hits live."""

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k best items of each query, [B, k]. A query that says nothing (empty, stop words) has no hits."""

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Compute the scores of given rows [B, K] anew, with gradient where it has parameters; -inf for row -1."""


@runtime_checkable
class Indexer(Protocol):
    """What a configuration names as a retriever: settings that make a `Retriever` over any collection."""

    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Build the retriever's files in `folder`, or open them if they are there and fit; then give it.

        A folder that was built for another collection or encoder is refused (`reml.files.StaleError`), never served.
        """


EncoderT = TypeVar("EncoderT", bound=TrainableEncoder)


@runtime_checkable
class TrainableIndexer(Indexer, Protocol[EncoderT]):
    """An indexer whose encoder can be trained before it indexes."""

    def encoder(self, collection: Collection, folder: Path) -> EncoderT:
        """Give the encoder before its training; what it takes from the collection is kept in `folder`.

        From the same folder it comes with the same shapes each time, to be given the trained weights.
        """

    def index_with(self, encoder: EncoderT, collection: Collection, folder: Path) -> Retriever:
        """Do as `index` does, with this encoder."""


@runtime_checkable
class QueryGenerator(Protocol):
    """x -> queries."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make at least one query for each example; `owners` says whose."""


@runtime_checkable
class QueryExpansion(Protocol):
    """Changes queries by what a first search with them finds."""

    def __call__(self, queries: Queries, retriever: Retriever) -> Queries:
        """Give as many queries, with the same owners, for this retriever; their `vectors` hold what they became."""


@runtime_checkable
class ResponseProcessor(Protocol):
    """Changes what is handed to the predictor: rerank, cut, deduplicate, compress."""

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Responses:
        """Give the new responses of the same examples."""


class StorageHandler(Protocol):
    """Lets a predictor write what it may need later."""

    def store(self, texts: Sequence[str]) -> Int64Array:
        """Keep these texts as items of the collection and make them findable; give their row ids, int64 [n]."""


class FeedbackHandler(Protocol):
    """Takes what the predictor found useful, so that the access model improves."""

    def receive(self, record: FeedbackRecord) -> None:
        """Learn from the record, or keep it for learning later."""


@runtime_checkable
class Predictor(Protocol):
    """f: predicts with the help of what was retrieved. Is an `nn.Module`."""

    @property
    def signals(self) -> Signal:
        """All that its loss can give beside the loss."""

    def prepare(self, collection: Collection, folder: Path) -> None:
        """Compute once, into `folder`, what is needed of each item (its token ids, say). May do nothing."""

    def loss(self, examples: Sequence[Example], responses: Responses, signals: Signal = Signal.NONE) -> Prediction:
        """Score the right answers given the responses, with gradient; `ValueError` for a signal it cannot give."""

    def generate(self, examples: Sequence[Example], responses: Responses) -> list[Answer]:
        """Predict one answer for each example, with its provenance best first. Works with no items at all (K = 0)."""


@runtime_checkable
class Feedback(Protocol):
    """An objective that turns what a predictor says of its items into a loss for the retriever."""

    @property
    def needs(self) -> Signal:
        """What it asks for, beside the scores."""

    def __call__(self, scores: Tensor, mask: Tensor, prediction: Prediction) -> Tensor:
        """Give the loss of each example, [B], from retrieval scores [B, K] with gradient and a mask [B, K]."""


@runtime_checkable
class Judge(Protocol):
    """Says how useful items are where the predictor's loss does not: gold evidence, a teacher, a downstream measure."""

    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the utility of each item, [B, K], finite, larger is better, without gradient; 0 where masked."""


@runtime_checkable
class Task(Protocol):
    """Examples, the knowledge source they refer to, and how they are measured."""

    @property
    def name(self) -> str:
        """A short name, unique in an experiment."""

    @property
    def measure(self) -> Measure:
        """The downstream measure KILT ranks this kind of task by."""

    def source(self) -> KnowledgeSource:
        """Give the knowledge source that the provenance of the examples points to."""

    def examples(self, split: str) -> Sequence[Example]:
        """Give the examples of `train`, `dev` or `test`; `ValueError` for a split it does not have."""
