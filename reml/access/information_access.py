"""The information access model g: query, retrieve, process the response; optionally store and learn from feedback."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from reml.access.querying.query_generators import InputQuery
from reml.access.rank_fusion import reciprocal_rank_fusion
from reml.access.responses import respond
from reml.contract.access import FeedbackHandler, QueryGenerator, ResponseProcessor, StorageHandler
from reml.contract.examples import Example
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.retrievers import Retriever
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import Int64Array


class InformationAccess:
    """Mediates a predictor's access to one collection.

    retriever: finds items. query_generator: makes queries of an input. processors: change the responses, in order.
    storage and feedback: what makes it of category 2, 3 or 4.
    """

    def __init__(
        self,
        retriever: Retriever,
        query_generator: QueryGenerator | None = None,
        *,
        processors: Sequence[ResponseProcessor] = (),
        storage: StorageHandler | None = None,
        feedback: FeedbackHandler | None = None,
    ) -> None:
        self.retriever = retriever
        self.query_generator = query_generator if query_generator is not None else InputQuery()
        self.processors = tuple(processors)
        self.storage = storage
        self.feedback = feedback

    @property
    def category(self) -> int:
        """1 retrieval only, 2 with storing, 3 with feedback, 4 with both."""
        return 1 + (self.storage is not None) + 2 * (self.feedback is not None)

    def __call__(self, examples: Sequence[Example], k: int) -> Responses:
        """Retrieve at most k items for each example and process them."""
        return self.respond(examples, self.search(examples, k))

    def search(self, examples: Sequence[Example], k: int) -> Hits:
        """Give the k best items of each example, [B, k]; several queries of one example are fused by their ranks."""
        if not examples:
            return Hits(np.empty((0, k), np.int64), np.empty((0, k), np.float32))
        queries = self._queries(examples)
        hits = self.retriever.search(queries, k)
        if len(queries) == len(examples):
            return hits
        return reciprocal_rank_fusion(_by_turn(hits, queries.owners, len(examples)), k)

    def respond(self, examples: Sequence[Example], hits: Hits) -> Responses:
        """Turn hits into what the predictor receives."""
        return respond(self.retriever.collection, examples, hits, self.processors)

    def store(self, texts: Sequence[str]) -> Int64Array:
        """Keep texts for later retrieval; `RuntimeError` if this access model has no storage."""
        if self.storage is None:
            raise RuntimeError("this access model does not store (category 1 or 3): give it a StorageHandler.")
        return self.storage.store(texts)

    def learn(self, record: FeedbackRecord) -> None:
        """Hand on what the predictor found useful; `RuntimeError` if this access model takes no feedback."""
        if self.feedback is None:
            raise RuntimeError("this access model takes no feedback (category 1 or 2): give it a FeedbackHandler.")
        self.feedback.receive(record)

    def _queries(self, examples: Sequence[Example]) -> Queries:
        queries = self.query_generator(examples)
        if (
            not np.array_equal(np.unique(queries.owners), np.arange(len(examples)))
            or (np.diff(queries.owners) < 0).any()
        ):
            raise ValueError(
                f"{type(self.query_generator).__name__} must give every one of {len(examples)} examples a query, "
                f"owners ascending; it gave owners {queries.owners[:10].tolist()}."
            )
        return queries


def _by_turn(hits: Hits, owners: Int64Array, count: int) -> list[Hits]:
    """Split the hits of all queries into rankings [count, K]: everyone's first query, everyone's second, ..."""
    turns = np.arange(len(owners)) - np.searchsorted(owners, owners)
    rankings = []
    for turn in range(int(turns.max()) + 1):
        rows = np.full((count, hits.k), -1, dtype=np.int64)
        scores = np.full((count, hits.k), -np.inf, dtype=np.float32)
        chosen = turns == turn
        rows[owners[chosen]], scores[owners[chosen]] = hits.rows[chosen], hits.scores[chosen]
        rankings.append(Hits(rows, scores))
    return rankings
