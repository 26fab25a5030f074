"""The parts of an access model g: querying, presenting, storing and feedback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from reml.contract.examples import Example
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Retriever
from reml.contract.signals import FeedbackRecord
from reml.contract.vectors import Int64Array


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
