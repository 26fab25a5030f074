"""What one batch asked, seen by example: made of what its sessions have on record, so that nothing else is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import numpy as np

from reml.contract.access import Asked, Session, Trajectory
from reml.contract.examples import Answer, Item, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries, Responses
from reml.contract.vectors import Int64Array

NOTHING = "nothing found"
NOTHING_LEFT = "nothing found, and no ask left"

Place = tuple[object, ...]


def trajectories(
    batch: Batch, answers: Sequence[Answer], rewards: Sequence[float | None] | None = None
) -> list[Trajectory]:
    """Give how each example of a batch was predicted. rewards: of the answers, one for each example.

    Asks of one session are in their order; of several sessions, the first asks of all come before the second ones, as
    the configuration orders them. `ValueError` if answers or rewards are not one for each example.
    """
    given = rewards if rewards is not None else [None] * len(answers)
    if not len(batch.examples) == len(answers) == len(given):
        raise ValueError(
            f"{len(batch.examples)} examples, {len(answers)} answers and {len(given)} rewards: give one for each."
        )
    places = [set(map(_place, answer.provenance)) for answer in answers]
    asks: list[list[Asked]] = [[] for _ in answers]
    for name, session, queries, found in _in_turn(batch):
        for owner, asked in _by_owner(name, session, queries, found, places):
            asks[owner].append(asked)
    return [
        Trajectory(example.id, tuple(made), answer, reward)
        for example, made, answer, reward in zip(batch.examples, asks, answers, given, strict=True)
    ]


def _in_turn(batch: Batch) -> Iterator[tuple[str, Session, Queries, Responses]]:
    sessions = batch.sessions.items()
    for turn in zip_longest(*(session.asked for _, session in sessions)):
        for (name, session), asked in zip(sessions, turn, strict=True):
            if asked is not None:
                yield name, session, *asked


def _by_owner(
    name: str, session: Session, queries: Queries, found: Responses, places: Sequence[set[Place]]
) -> Iterator[tuple[int, Asked]]:
    """Give each list and whose it is: own queries have one list an example that asks, given ones a list each."""
    left, owners = session.left, owners_of(queries, found)
    for number, rows in enumerate(found.rows):
        single = len(found) == len(queries)
        owner = int(owners[number])
        texts = (queries.texts[number],) if single else _of(queries, owner)
        shown = rows[rows >= 0]
        used = _used(found, number, places[owner]) if len(shown) and places[owner] else shown[:0]
        yield owner, Asked(name, texts, shown, used, "" if len(shown) else _note(int(left[owner])))


def owners_of(queries: Queries, found: Responses) -> Int64Array:
    """Give the example of each list of an ask on record, int64 [len(found)]: several queries of one may be fused."""
    return queries.owners if len(found) == len(queries) else np.unique(queries.owners)


def _of(queries: Queries, owner: int) -> tuple[str, ...]:
    return tuple(text for one, text in zip(queries.owners.tolist(), queries.texts, strict=True) if one == owner)


def _used(found: Responses, number: int, places: set[Place]) -> Int64Array:
    """Give the rows whose items are named, whole or by their page alone."""
    return np.array([item.row for item in found.items[number] if places & _names(item)], dtype=np.int64)


def _names(item: Item) -> set[Place]:
    return {_place(Provenance.of(item)), _place(Provenance(item.page_id))}


def _place(named: Provenance) -> Place:
    return (
        named.wikipedia_id,
        named.start_paragraph_id,
        named.start_character,
        named.end_paragraph_id,
        named.end_character,
    )


def _note(left: int) -> str:
    return NOTHING if left else NOTHING_LEFT
