"""Queries and judgements as examples: what the tasks from retrieval collections have in common.

Each relevant document is a right answer with its own provenance, so that recall is that of the judgements and
R-precision that of the first place. Degrees of relevance other than 1 stand in the provenance's `meta` as `relevance`;
the judgements in a result folder have them, so that nDCG by `reml measure` is that of the collection's own judgements.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Generic, TypeVar

from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Answer, Example, Measure, Provenance
from reml.files.lines import LineError

_LOG = logging.getLogger(__name__)
Place = TypeVar("Place")
# The documents that are relevant to each query, with their relevance.
Relevant = Mapping[str, Mapping[str, int]]


class JudgedQueries(ABC, Generic[Place]):
    """The task of a retrieval collection, but for where its splits are and how one is read, which its classes say.

    relevant_from: the least relevance that counts. limit: of the queries of a split. `ValueError` for a limit that is
    not allowed.
    """

    _source: KnowledgeSource
    _places: Mapping[str, Place]

    def __init__(self, name: str, relevant_from: int, limit: int | None) -> None:
        if limit is not None and limit < 1:
            raise ValueError(f"task {name!r}: limit is {limit}. Give at least 1, or nothing for all queries.")
        self._name, self._relevant_from, self._limit = name, relevant_from, limit
        self._examples: dict[str, Sequence[Example]] = {}

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    @property
    def measure(self) -> Measure:
        """Accuracy of the ids of documents, for want of answers."""
        return "accuracy"

    def source(self) -> KnowledgeSource:
        """Give the documents."""
        return self._source

    def examples(self, split: str) -> Sequence[Example]:
        """Read the queries of a split, once; `ValueError` for a split that it does not have."""
        if split not in self._places:
            raise ValueError(f"task {self._name!r} has no split {split!r}. It has {sorted(self._places)}.")
        if split not in self._examples:
            queries, relevant = self._read(self._places[split])
            self._examples[split] = judged_examples(queries, relevant, self._limit, f"{self._name} {split}")
        return self._examples[split]

    @abstractmethod
    def _read(self, place: Place) -> tuple[Iterable[tuple[str, str]], Relevant | None]:
        """Give the queries of a split, by id and text, and what is relevant to them; `None` for a blind test."""


def judged_of(
    texts: Mapping[str, str],
    queries: Path,
    judgements: Iterable[tuple[str, str, int]],
    place: Path,
    relevant_from: int,
) -> tuple[list[tuple[str, str]], Relevant]:
    """Give the queries that judgements name, in the order of their file, and what is relevant to each.

    queries, place: the files of both. `LineError` if a query is judged that is not there.
    """
    judged = {(query, document): score for query, document, score in judgements}
    named = {query for query, _ in judged}
    unknown = next((query for query, _ in judged if query not in texts), None)
    if unknown is not None:
        raise LineError(f"{place} judges query {unknown!r}, which {queries} does not have.")
    relevant = relevant_documents(((*pair, score) for pair, score in judged.items()), relevant_from)
    return [(query, text) for query, text in texts.items() if query in named], relevant


def relevant_documents(judgements: Iterable[tuple[str, str, int]], relevant_from: int) -> Relevant:
    """Give the relevant documents of each query with their relevance, each once, in the order of the judgements."""
    relevant: dict[str, dict[str, int]] = {}
    for query, document, relevance in judgements:
        if relevance >= relevant_from:
            relevant.setdefault(query, {})[document] = relevance
    return relevant


def judged_examples(
    queries: Iterable[tuple[str, str]], relevant: Relevant | None, limit: int | None, what: str
) -> tuple[Example, ...]:
    """Give an example for each query, by its id and its text, at most `limit`; those of a blind test have no answer.

    relevant: the documents of each query, `None` for a blind test. Queries without one are left out and counted in the
    log; `what` names the task and its split there.
    """
    return tuple(islice(_examples(queries, relevant, what), limit))


def _examples(queries: Iterable[tuple[str, str]], relevant: Relevant | None, what: str) -> Iterator[Example]:
    left_out = 0
    for query, text in queries:
        documents = {} if relevant is None else relevant.get(query, {})
        if documents or relevant is None:
            yield Example(query, text, tuple(map(_answer, documents.items())))
        else:
            left_out += 1
    if left_out:
        _LOG.warning("%s: %d queries have no relevant document and are left out.", what, left_out)


def _answer(judged: tuple[str, int]) -> Answer:
    document, relevance = judged
    return Answer(document, (Provenance(document, meta=None if relevance == 1 else {"relevance": relevance}),))
