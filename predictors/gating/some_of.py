"""A batch for some of its examples alone: the others ask nothing, spend nothing, and have nothing on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import final

from torch import Tensor

from reml.access.querying.query_generators import InputQuery
from reml.contract.access import Entries, QueryGenerator, Session
from reml.contract.examples import Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries, Responses
from reml.contract.vectors import Int64Array


def some_of(batch: Batch, places: Int64Array, queries: QueryGenerator | None = None) -> Batch:
    """Give the batch of the examples at these places, ascending. queries: what is asked for them; their inputs if none.

    What an access model's own queries found ahead is not taken: they are asked anew, of these examples alone.
    """
    examples = tuple(batch.examples[place] for place in places.tolist())
    asking = queries if queries is not None else InputQuery()
    return replace(
        batch,
        examples=examples,
        sessions={name: SomeSession(one, examples, places, asking) for name, one in batch.sessions.items()},
        given=None if batch.given is None else _lists(batch.given, places),
    )


@final
class SomeSession:
    """The session of some of a batch's examples, those at `places`. queries: makes one query for each of them."""

    def __init__(
        self, session: Session, examples: Sequence[Example], places: Int64Array, queries: QueryGenerator
    ) -> None:
        self._session, self._examples, self._places, self._queries = session, examples, places, queries
        self._asked: list[tuple[Queries, Responses]] = []

    @property
    def left(self) -> Int64Array:
        """Asks that the budget still allows each of these examples."""
        return self._session.left[self._places]

    @property
    def asked(self) -> Sequence[tuple[Queries, Responses]]:
        """What was asked for these examples, and what came back."""
        return tuple(self._asked)

    def ask(self, queries: Queries | None = None, k: int | None = None) -> Responses:
        """Ask for these examples; `ValueError` for a query generator that makes several queries of one."""
        given = queries if queries is not None else self._queries(self._examples)
        if queries is None and len(given) != len(self._examples):
            raise ValueError(
                f"{type(self._queries).__name__} made {len(given)} queries for {len(self._examples)} examples, and "
                "some of a batch ask with one each: choose another query generator."
            )
        found = self._session.ask(replace(given, owners=self._places[given.owners]), k)
        self._asked.append((given, found))
        return found

    def values(self, column: str, responses: Responses) -> Tensor:
        """Give numbers kept beside the items."""
        return self._session.values(column, responses)

    def write(self, entries: Entries) -> Int64Array:
        """Store what is of these examples."""
        return self._session.write(replace(entries, owners=self._places[entries.owners]))


def _lists(responses: Responses, places: Int64Array) -> Responses:
    """Keep the lists of some examples."""
    return replace(
        responses,
        items=[responses.items[place] for place in places.tolist()],
        rows=responses.rows[places],
        scores=responses.scores[places],
        mask=responses.mask[places],
        origins=responses.origins[places],
    )
