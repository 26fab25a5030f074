"""The information access model g: query, expand, search, process, cut; optionally store and learn from feedback.

The chain stands here and nowhere else: whatever is retrieved ahead, trained on, searched or served went through it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import final

import numpy as np
import torch

from reml.access.filtering import hide, search_within
from reml.access.limits import Limits
from reml.access.presenting.rankers import check_kept
from reml.access.querying.query_generators import InputQuery
from reml.access.rank_fusion import reciprocal_rank_fusion, require_kept
from reml.access.responses import gather, shown
from reml.access.session import AccessSession
from reml.access.steps import SEARCH, Clock, items_read, step_names
from reml.access.storing.session_storage import SessionStorage
from reml.contract.access import (
    Entries,
    FeedbackHandler,
    QueryExpansion,
    QueryGenerator,
    ResponseProcessor,
    StorageHandler,
    queries_over,
)
from reml.contract.collections import Collection
from reml.contract.examples import Example, given_examples
from reml.contract.retrieved import Hits, Queries, Responses, room_for
from reml.contract.retrievers import Retriever
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import Int64Array

# Rows that a predictor may read softly, all at once (k = 0).
EVERY_ROW = 2**16


@final
class InformationAccess:
    """Mediates a predictor's access to one collection.

    retriever: finds items. query_generator: makes queries of an input. expansion: changes queries by what a first
    search finds. processors: change what comes back for each query, in order, before the cut. storage and feedback:
    what makes it of category 2, 3 or 4. limits: its depth, k, budget and temperature.
    """

    def __init__(
        self,
        retriever: Retriever,
        query_generator: QueryGenerator | None = None,
        *,
        expansion: QueryExpansion | None = None,
        processors: Sequence[ResponseProcessor] = (),
        storage: StorageHandler | None = None,
        feedback: FeedbackHandler | None = None,
        limits: Limits | None = None,
        name: str = "",
    ) -> None:
        self.retriever, self.name = retriever, name
        generator = query_generator if query_generator is not None else InputQuery()
        self.query_generator = queries_over(generator, retriever.collection)
        self.expansion, self.processors = expansion, tuple(processors)
        self._step_names = step_names(self.processors)
        self.storage, self.feedback = storage, feedback
        self.limits = limits if limits is not None else Limits()
        check_kept(self.processors, self.limits.depth, name)

    @property
    def collection(self) -> Collection:
        """What it gives access to."""
        return self.retriever.collection

    @property
    def category(self) -> int:
        """1 retrieval only, 2 with storing, 3 with feedback, 4 with both."""
        return 1 + (self.storage is not None) + 2 * (self.feedback is not None)

    def open(self, examples: Sequence[Example], ahead: Hits | None = None) -> AccessSession:
        """Give the session of one batch. ahead: what `search` found for it, if that is known."""
        chain = self if self.storage is None else self.storing(SessionStorage(self.storage))
        return AccessSession(chain, examples, ahead)

    def storing(self, storage: StorageHandler) -> InformationAccess:
        """Give the same access model over a memory, in which it finds and to which it writes."""
        return InformationAccess(
            storage.retriever,
            self.query_generator,
            expansion=self.expansion,
            processors=self.processors,
            storage=storage,
            feedback=self.feedback,
            limits=self.limits,
            name=self.name,
        )

    def __call__(self, examples: Sequence[Example], k: int | None = None) -> Responses:
        """Ask once with its own queries: at most k items for each example, [B, k]."""
        return self.open(examples).ask(k=k)

    def search(self, examples: Sequence[Example], depth: int | None = None) -> Hits:
        """Give the processed hits of its own queries, [B, depth]: what a session can be opened with later.

        Of a collection with far fewer items, as many places as hold all of them (`reml.contract.retrieved.room_for`).
        Texts that a processor changed are kept with them.
        """
        room = room_for(depth if depth is not None else self.limits.depth, len(self.collection))
        if not given_examples(examples):
            return Hits.empty(0, room)
        return shown(self.own(examples, self.queries(examples), room), self.collection, room)

    def own(self, examples: Sequence[Example], queries: Queries, k: int) -> Responses:
        """Answer its own queries by one list an example, [B, k]; several of an example are fused by their ranks."""
        found = self.answer(queries, k)
        if len(queries) == len(examples):
            return found
        ranked = require_kept(shown(found, self.collection, found.k))
        by_turn, room = _by_turn(ranked, queries.owners, len(examples)), room_for(k, len(self.collection))
        hits = reciprocal_rank_fusion(by_turn, room)
        return gather(self.collection, hits, temperature=self.limits.temperature)

    def queries(self, examples: Sequence[Example]) -> Queries:
        """Make its own queries, at least one of each example; `ValueError` names a generator that leaves one out."""
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

    def answer(self, queries: Queries, k: int) -> Responses:
        """Answer each query: expand it, search to depth, process, cut to k, [Q, k]; k = 0 gives every row."""
        if k == 0:
            return self._everything(queries)
        k = room_for(k, len(self.collection))
        if self.storage is not None:
            queries = hide(queries, self.storage.pending)
        clock = Clock()
        asked = queries if self.expansion is None else self.expansion(queries, self.retriever)
        hits = search_within(self.retriever, asked, max(k, self.limits.depth) if self.processors else k)
        clock.note(SEARCH, len(queries), lambda: int(hits.mask.sum()))
        responses = self._scored(asked, gather(self.collection, hits, temperature=self.limits.temperature))
        for name, processor in zip(self._step_names, self.processors, strict=True):
            given = responses
            responses = processor(queries, given)
            clock.note(name, len(queries), functools.partial(items_read, processor, given))
        return responses if responses.k == k else responses.first(k)

    def store(self, entries: Entries) -> Int64Array:
        """Keep entries for later retrieval; `RuntimeError` if this access model has no storage."""
        if self.storage is None:
            raise RuntimeError(
                f"the access model {self.name!r} does not store (category {self.category}): give it a `storage`."
            )
        return self.storage.store(entries)

    def learn(self, record: FeedbackRecord) -> None:
        """Hand on what the predictor found useful; `RuntimeError` if this access model takes no feedback."""
        if self.feedback is None:
            raise RuntimeError(
                f"the access model {self.name!r} takes no feedback (category {self.category}): give it a handler."
            )
        self.feedback.receive(record)

    def _scored(self, queries: Queries, found: Responses) -> Responses:
        """Compute scores anew, with gradient, for queries that are states with a gradient."""
        if not isinstance(queries.states, torch.Tensor) or not queries.states.requires_grad:
            return found
        scores = self.retriever.score(queries, found.rows)
        return replace(found, scores=scores, mask=found.mask.to(scores.device))

    def _everything(self, queries: Queries) -> Responses:
        """Score every row for each query, with gradient where the retriever has parameters; in row order."""
        rows = self.collection.rows()
        if self.storage is not None:
            rows = np.setdiff1d(rows, self.storage.pending)
        if len(rows) > EVERY_ROW:
            raise ValueError(
                f"k = 0 reads every row, and the collection of {self.name!r} has {len(rows)}; at most {EVERY_ROW} can "
                "be read softly. Ask for the best k, or give the access model a smaller collection."
            )
        tiled = np.tile(rows, (len(queries), 1))
        scores = self.retriever.score(queries, tiled)
        hits = Hits(tiled, scores.detach().float().cpu().numpy())
        found = gather(self.collection, hits, temperature=self.limits.temperature)
        return Responses(found.items, tiled, scores, found.mask.to(scores.device), temperature=found.temperature)


def _by_turn(hits: Hits, owners: Int64Array, count: int) -> list[Hits]:
    """Split the hits of all queries into rankings [count, K]: everyone's first query, everyone's second, ..."""
    turns = np.arange(len(owners)) - np.searchsorted(owners, owners)
    rankings = []
    for turn in range(int(turns.max()) + 1):
        ranking, chosen = Hits.empty(count, hits.k), turns == turn
        ranking.rows[owners[chosen]], ranking.scores[owners[chosen]] = hits.rows[chosen], hits.scores[chosen]
        rankings.append(ranking)
    return rankings
