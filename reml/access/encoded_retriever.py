"""A retriever is an encoder and an index over a collection; its folder is served only to what it was built for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, final

import numpy as np

from reml.access.query_states import representations
from reml.access.similarity import EncoderScorer
from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Item
from reml.contract.retrieved import Hits, Queries, given_queries
from reml.contract.retrievers import Encoder, Index, Scorer
from reml.contract.vectors import Int64Array, SparseVectors
from reml.devices.turns import Turns

if TYPE_CHECKING:
    from torch import Tensor

# New items that are in memory at a time.
GAINED = 256
Encoder_co = TypeVar("Encoder_co", bound=Encoder, covariant=True)


@final
class EncodedRetriever(Generic[Encoder_co]):
    """Finds items by the similarity of what `encoder` makes of queries and items, with `index` over `collection`.

    scorer: scores anew what was found; by the encoder unless given. asking: encodes the queries that are searched, as
    `encoder` does or but for rounding; that itself unless given. indexed: rows from here on are not in the index until
    it catches up; all are if left out.
    """

    def __init__(
        self,
        collection: Collection,
        encoder: Encoder_co,
        index: Index,
        scorer: Scorer | None = None,
        *,
        asking: Encoder | None = None,
        indexed: int | None = None,
    ) -> None:
        self.collection = collection
        self.encoder = encoder
        self.index = index
        self.scorer: Scorer = scorer if scorer is not None else EncoderScorer(encoder)
        self._asking: Encoder = asking if asking is not None else encoder
        self._indexed = indexed
        self._turns = Turns()

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k best items of each query, [B, k]; a blank text has no hits. `ValueError` if k < 1."""
        if k < 1:
            raise ValueError(f"k is a number of items, 1 or more, not {k}.")
        queries = given_queries(queries)
        if queries.states is not None:
            return self.index.search(representations(queries.states), k)
        rows = np.full((len(queries), k), -1, dtype=np.int64)
        scores = np.full((len(queries), k), -np.inf, dtype=np.float32)
        asked = queries.asking
        if asked:
            vectors = self._asking.encode_queries([queries.said[place] for place in asked])
            hits = self.index.search(vectors, k)
            rows[asked], scores[asked] = hits.rows, hits.scores
        return Hits(rows, scores)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Compute the scores of given rows [B, K] anew, -inf for row -1.

        With gradient, and on the device of its parameters, where the scorer has any. Each distinct item is given to it
        once. `ValueError` if `rows` is not [B, K]; `KeyError` for a row the collection does not have.
        """
        if rows.ndim != 2 or len(rows) != len(queries):
            raise ValueError(f"rows must be [B, K] for {len(queries)} queries, not {rows.shape}.")
        there = rows >= 0
        distinct = np.unique(rows[there])
        items = self.collection.get(distinct) if len(distinct) else []
        return self.scorer.score(queries, items, np.where(there, np.searchsorted(distinct, rows), -1))

    def why_nothing(self, query: str) -> str:
        """Say why there are no hits for a query."""
        if not query.strip():
            return "the query is empty"
        made = self.encoder.encode_queries([query])
        if isinstance(made, SparseVectors) and not len(made.weights):
            return "the encoder knows none of the query's words"
        return "nothing in the index is like the query"

    @takes_paths
    def over(self, collection: Collection, folder: Path, first: int) -> EncodedRetriever[Encoder_co]:  # noqa: ARG002
        """Give a retriever over another collection: its first rows in this index, which stays as it is, others beside.

        What is beside lies in memory and is encoded anew when it is opened: nothing is kept in `folder`.
        """
        from reml.index.layered import LayeredIndex, exact_index  # with FAISS and Numba, which take long to load

        beside = exact_index(self.encoder.encode_queries([]), self.encoder.similarity)
        index = LayeredIndex(self.index, beside) if first else beside
        grown = EncodedRetriever(collection, self.encoder, index, self.scorer, asking=self._asking, indexed=first)
        grown.catch_up()
        return grown

    def catch_up(self) -> None:
        """Make findable what the collection gained; each item is encoded alone, so that its vector is always the same.

        (What an encoder makes of a text may differ in the last digit with the texts beside it.)
        """
        if self._indexed is None:
            return
        with self._turns.alone():
            for items in self.collection.batches(GAINED, self._indexed):
                for item in items:
                    self.extend([item])
                    self._indexed = item.row + 1

    def extend(self, items: Sequence[Item]) -> None:
        """Make items findable that were appended to the collection; `ValueError` for a row that is indexed already."""
        if items:
            rows = np.array([item.row for item in items], dtype=np.int64)
            self.index.add(rows, self.encoder.encode_items(items))
