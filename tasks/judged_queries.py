"""Queries and judgements as examples: what the tasks from retrieval collections have in common.

Each relevant document is a right answer with its own provenance, so that recall is that of the judgements and
R-precision that of the first place. Degrees of relevance other than 1 stand in the provenance's `meta` as `relevance`;
the judgements in a result folder have them, so that nDCG by `reml measure` is that of the collection's own judgements.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

from reml.contract.examples import Answer, Example, Provenance

_LOG = logging.getLogger(__name__)


def check_limit(task: str, limit: int | None) -> None:
    """Raise `ValueError` for a number of queries that is not allowed."""
    if limit is not None and limit < 1:
        raise ValueError(f"task {task!r}: limit is {limit}. Give at least 1, or nothing for all queries.")


def relevant_documents(
    judgements: Iterable[tuple[str, str, int]], relevant_from: int
) -> Mapping[str, Mapping[str, int]]:
    """Give the relevant documents of each query with their relevance, each once, in the order of the judgements."""
    relevant: dict[str, dict[str, int]] = {}
    for query, document, relevance in judgements:
        if relevance >= relevant_from:
            relevant.setdefault(query, {})[document] = relevance
    return relevant


def judged_examples(
    queries: Iterable[tuple[str, str]], relevant: Mapping[str, Mapping[str, int]] | None, limit: int | None, what: str
) -> tuple[Example, ...]:
    """Give an example for each query, by its id and its text, at most `limit`; those of a blind test have no answer.

    relevant: the documents of each query, `None` for a blind test. Queries without one are left out and counted in the
    log; `what` names the task and its split there.
    """
    return tuple(islice(_examples(queries, relevant, what), limit))


def _examples(
    queries: Iterable[tuple[str, str]], relevant: Mapping[str, Mapping[str, int]] | None, what: str
) -> Iterator[Example]:
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
