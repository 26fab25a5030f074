"""Sessions made of others: one over several groups of examples, and what some examples see of one, or of a batch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from reml.access.responses import empty
from reml.contract.access import Entries, Session
from reml.contract.joining import apart
from reml.contract.predictors import Batch
from reml.contract.retrieved import LazyItems, Queries, Responses
from reml.contract.vectors import Int64Array


@final
class JointSession:
    """Asks for each group of examples its own session; a group without one finds nothing.

    groups: sessions, or none, with how many examples each has. Rows of different groups may be of other collections.
    """

    def __init__(self, groups: Sequence[tuple[Session | None, int]]) -> None:
        self._groups = tuple(groups)
        self._starts = np.cumsum([0, *(count for _, count in groups)], dtype=np.int64)
        self._asked: list[tuple[Queries, Responses]] = []

    @property
    def left(self) -> Int64Array:
        """Asks that the budget still allows each example, int64 [B]."""
        parts = [np.zeros(count, np.int64) if session is None else session.left for session, count in self._groups]
        return np.concatenate(parts)

    @property
    def asked(self) -> Sequence[tuple[Queries, Responses]]:
        """What was asked with given queries and what came back, in order."""
        return tuple(self._asked)

    def ask(
        self, queries: Queries | None = None, k: int | None = None, *, owners: Int64Array | None = None
    ) -> Responses:
        """Answer queries, [Q, k], or everyone's own, [B, k], or those of `owners`."""
        if queries is None and owners is None:
            return stacked([empty(n) if one is None else one.ask(k=k) for one, n in self._groups])
        numbers = range(len(self._groups))
        if queries is None:
            chosen = np.asarray(owners, dtype=np.int64)
            return stacked([self._own(number, chosen, k) for number in numbers])
        if owners is not None:
            raise ValueError("queries that are given say whose they are: leave `owners` out.")
        found = stacked([self._part(number, queries, k) for number in numbers])
        self._asked.append((queries, found))
        return found

    def values(self, column: str, responses: Responses) -> Tensor:
        """Refuse: rows of different groups may be of different collections."""
        sessions = [session for session, _ in self._groups if session is not None]
        if len(sessions) != 1:
            raise ValueError(
                f"column {column!r} of rows of {len(sessions)} collections: a predictor that reads values learns from "
                "one knowledge source at a time (`train_on.tasks`)."
            )
        return sessions[0].values(column, responses)

    def write(self, entries: Entries) -> Int64Array:
        """Store the entries of each group in its own session."""
        rows = np.full(len(entries), -1, dtype=np.int64)
        for number, (session, _) in enumerate(self._groups):
            chosen = np.flatnonzero(self._owned(entries.owners, number))
            if len(chosen) and session is not None:
                rows[chosen] = session.write(_entries(entries, chosen, int(self._starts[number])))
        return rows

    def _own(self, number: int, owners: Int64Array, k: int | None) -> Responses:
        session, mine = self._groups[number][0], owners[self._owned(owners, number)]
        if session is None or not len(mine):
            return empty(len(mine))
        return session.ask(k=k, owners=mine - self._starts[number])

    def _part(self, number: int, queries: Queries, k: int | None) -> Responses:
        session, chosen = self._groups[number][0], np.flatnonzero(self._owned(queries.owners, number))
        if session is None or not len(chosen):
            return empty(len(chosen))
        own = queries.take(chosen)
        return session.ask(replace(own, owners=own.owners - self._starts[number]), k)

    def _owned(self, owners: Int64Array, number: int) -> npt.NDArray[np.bool_]:
        owned: npt.NDArray[np.bool_] = (owners >= self._starts[number]) & (owners < self._starts[number + 1])
        return owned


@final
class PartialSession:
    """A session as some of its examples see it: what they ask and write is on the record of the whole one too.

    examples: their places in the whole one, ascending.
    """

    def __init__(self, whole: Session, examples: Int64Array) -> None:
        self._whole, self._examples = whole, examples
        self._asked: list[tuple[Queries, Responses]] = []

    @property
    def left(self) -> Int64Array:
        """Asks that the budget still allows each example, int64 [B]."""
        return self._whole.left[self._examples]

    @property
    def asked(self) -> Sequence[tuple[Queries, Responses]]:
        """What was asked here, and what came back, in order."""
        return tuple(self._asked)

    def ask(
        self, queries: Queries | None = None, k: int | None = None, *, owners: Int64Array | None = None
    ) -> Responses:
        """Answer queries, [Q, k], or the whole one's own queries of these examples, [B, k], or of `owners`."""
        before = len(self._whole.asked)
        if queries is None:
            mine = self._examples if owners is None else self._in_whole(owners)
            found = self._whole.ask(k=k, owners=mine)
        else:
            found = self._whole.ask(replace(queries, owners=self._in_whole(queries.owners)), k, owners=owners)
        for given, came in self._whole.asked[before:]:
            self._asked.append((replace(given, owners=np.searchsorted(self._examples, given.owners)), came))
        return found

    def values(self, column: str, responses: Responses) -> Tensor:
        """Give numbers kept beside the items, [Q, K, ...]."""
        return self._whole.values(column, responses)

    def write(self, entries: Entries) -> Int64Array:
        """Store entries of these examples."""
        return self._whole.write(replace(entries, owners=self._in_whole(entries.owners)))

    def _in_whole(self, owners: Int64Array) -> Int64Array:
        """Give the places of owners in the whole one; `ValueError` for one that is none of these examples."""
        wrong = owners[(owners < 0) | (owners >= len(self._examples))]
        if len(wrong):
            raise ValueError(
                f"owners are positions among these {len(self._examples)} examples, not {wrong[:5].tolist()}."
            )
        return self._examples[owners]


def partial_session(whole: Session, examples: Int64Array) -> Session:
    """Give what these examples see of a session. examples: their places in it, ascending."""
    return PartialSession(whole, examples)


def part_of(batch: Batch, examples: Int64Array, *, access: str | None = None) -> Batch:
    """Give some examples of a batch, ascending places, as if there were no others: these ask and spend nothing.

    access: the only access model that is there, all if left out; nothing is read by a name that is not there.
    """
    sessions = {
        name: partial_session(session, examples) for name, session in batch.sessions.items() if access in (None, name)
    }
    given = batch.given
    if given is not None and access is not None:
        given = given.pick(apart(given).get(access, np.empty((len(given), 0), np.int64)))
    chosen = tuple(batch.examples[place] for place in examples.tolist())
    return replace(batch, examples=chosen, sessions=sessions, given=None if given is None else given.take(examples))


def joint_session(groups: Sequence[tuple[Session | None, int]]) -> Session:
    """Give one session over those of several groups of examples."""
    return JointSession(groups)


def _entries(entries: Entries, chosen: Int64Array, start: int) -> Entries:
    places = torch.from_numpy(chosen)
    at = entries.at
    return Entries(
        entries.owners[chosen] - start,
        tuple(entries.contents[place] for place in chosen.tolist()) if entries.contents else (),
        None if entries.states is None else entries.states[places],
        {name: values[places] for name, values in entries.values.items()},
        None if at is None else at[places] if isinstance(at, Tensor) else at[chosen],
        None if entries.erase is None else entries.erase[places],
    )


def stacked(parts: Sequence[Responses]) -> Responses:
    """Put responses one below the other, padded to the longest."""
    k = max(part.k for part in parts)
    missing = [k - part.k for part in parts]

    def padded(take: Callable[[Responses], Tensor], fill: float) -> Tensor:
        return torch.cat(
            [functional.pad(take(part), (0, n), value=fill) for part, n in zip(parts, missing, strict=True)]
        )

    rows = [np.pad(part.rows, ((0, 0), (0, n)), constant_values=-1) for part, n in zip(parts, missing, strict=True)]
    return Responses(
        items=LazyItems(sum(map(len, parts)), lambda: [items for part in parts for items in part.items]),
        rows=np.concatenate(rows),
        scores=padded(lambda part: part.scores, -torch.inf),
        mask=padded(lambda part: part.mask, 0.0),
        temperature=next((part.temperature for part in parts if part.k), parts[0].temperature),  # an empty one has none
    )
