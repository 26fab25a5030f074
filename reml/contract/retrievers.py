"""What finds items: encoders, indexes, and the retrievers made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from reml.contract.collections import Collection
from reml.contract.examples import Item, Media
from reml.contract.retrieved import Hits, Queries
from reml.contract.vectors import Int64Array, Representations, Similarity

if TYPE_CHECKING:
    from torch import Tensor, nn


class Encoder(Protocol):
    """Turns queries and items into representations of one space, so that relevance is their similarity."""

    @property
    def similarity(self) -> Similarity:
        """How a query's representation and an item's are compared."""

    def fingerprint(self) -> str:
        """Digest everything that the representations depend on, weights included."""

    def encode_queries(self, contents: Sequence[str | Media]) -> Representations:
        """Give one representation for each text or medium, in order, without gradient; none for none, of one width.

        `ValueError` for what it cannot read (`reml.contract.examples.texts_of`).
        """

    def encode_items(self, items: Sequence[Item]) -> Representations:
        """Give one representation for each item, in order, without gradient."""


@runtime_checkable
class TrainableEncoder(Encoder, Protocol):
    """An encoder with parameters."""

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, [B, D]; [B, L, D] for `maxsim`, a vector of zeros being padding."""

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, [N, D]; [N, L, D] for `maxsim`, a vector of zeros being padding."""


@runtime_checkable
class Scorer(Protocol):
    """Scores pairs of a query and an item: an encoder by its similarity, a cross-encoder by reading both at once."""

    @property
    def module(self) -> nn.Module | None:
        """What is trained and saved; nothing where nothing is."""

    def score(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
        """Score Q queries at these positions [Q, K] among N distinct items, [Q, K]; -inf at -1.

        With gradient where it has parameters. Items that no position names need not be looked at.
        """


@runtime_checkable
class FittingScorer(Protocol):
    """What a `Scorer` has beside that counts something of a collection before it scores: how rare words are."""

    def fit(self, collection: Collection) -> None:
        """Count it, in place of what was counted before; `module` has it, so that it is saved with the weights."""


@runtime_checkable
class KeepingScorer(Protocol):
    """What a `Scorer` has beside that can keep on disk what it makes of the items of a collection, to score faster."""

    def keep(self, collection: Collection, folder: Path) -> None:
        """Keep it in `folder`, where others' lies too, from the next score without gradient on; called after training.

        Scores of items that are shown otherwise than the collection has them are of what is shown.
        """


class Index(Protocol):
    """Finds the k best items for representations.

    Searches may run in threads, beside each other and beside one thread that adds and deletes: each sees the index
    before or after an add or a delete, whole. Either waits for the other, or they run side by side.
    """

    def __len__(self) -> int:
        """Count the items it holds."""

    def add(self, rows: Int64Array, vectors: Representations) -> None:
        """Add items under new row ids; `ValueError` for a row it holds already or vectors of another width or kind."""

    def delete(self, rows: Int64Array) -> None:
        """Forget these items; `KeyError` for a row it does not hold."""

    def search(self, queries: Representations, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; `ValueError` if k < 1. Fewer items than k leave padding."""


@runtime_checkable
class IndexMaker(Protocol):
    """What a configuration names as an index: settings that make an `Index` of whatever an encoder gives, on disk."""

    def fingerprint(self) -> str:
        """Digest the settings that the files depend on; how they are searched is no part of it."""

    def check(self, vectors: Representations, similarity: Similarity) -> None:
        """Raise `ValueError` if it takes no vectors of this kind and width, or finds by another similarity."""

    def make(self, folder: Path, width: int, shards: Iterable[tuple[Int64Array, Representations]]) -> None:
        """Write the index of (rows, vectors) to a new folder, in bounded memory.

        The shards come in row order and may be iterated over more than once. `ValueError` for vectors of another kind.
        """

    def open(self, folder: Path) -> Index:
        """Open what `make` wrote; `CorruptError` (`reml.files.atomic`) if it cannot be read."""


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
class ExplainingRetriever(Retriever, Protocol):
    """A retriever that can say why it found nothing."""

    def why_nothing(self, query: str) -> str:
        """Say, as a part of a sentence, why there are no hits for a query, if there are none."""


@runtime_checkable
class GrowingRetriever(Retriever, Protocol):
    """A retriever that can find what is written while it serves: what a memory needs."""

    def over(self, collection: Collection, folder: Path, first: int) -> GrowingRetriever:
        """Give a retriever like this over another collection, which it follows; this one stays as it is.

        first: rows below it are those of its own collection, which the other begins with; from it on all are new, and
        what is there of them is taken in. `folder` keeps what it needs to go on later, and is its own.
        """

    def catch_up(self) -> None:
        """Make findable what the collection gained."""


@runtime_checkable
class Indexer(Protocol):
    """What a configuration names as a retriever: settings that make a `Retriever` over any collection."""

    def index(self, collection: Collection, folder: Path) -> Retriever:
        """Build the retriever's files in `folder`, or open them if they are there and fit; then give it.

        A folder that was built for another collection or encoder is refused (`reml.files.atomic.StaleError`), never
        served.
        """


@runtime_checkable
class DerivingIndexer(Indexer, Protocol):
    """An indexer whose hits are rows of a collection of its own, made of the one that it indexes: token positions, say.

    That collection is `retriever.collection`; its items have text where there is any, and a page for provenance.
    """

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of numbers that its rows have beside `page` and `words`."""


EncoderT = TypeVar("EncoderT", bound=TrainableEncoder)
EncoderT_contra = TypeVar("EncoderT_contra", bound=TrainableEncoder, contravariant=True)


@runtime_checkable
class EncoderIndexer(Indexer, Protocol[EncoderT_contra]):
    """An indexer that takes an encoder at hand: one that was trained, or that a predictor lends."""

    def index_with(self, encoder: EncoderT_contra, collection: Collection, folder: Path) -> Retriever:
        """Do as `index` does, with this encoder."""


@runtime_checkable
class TrainableIndexer(EncoderIndexer[EncoderT], Protocol[EncoderT]):
    """An indexer whose encoder can be trained before it indexes."""

    def encoder(self, collection: Collection, folder: Path) -> EncoderT:
        """Give the encoder before its training; what it takes from the collection is kept in `folder`.

        From the same folder it comes with the same shapes each time, to be given the trained weights.
        """
