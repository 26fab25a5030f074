"""What some examples see of a session, or of one over groups: asks go to the whole one, with the right owners."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.joint_session import joint_session, partial_session
from reml.access.limits import Limits
from reml.access.trajectory import trajectories
from reml.contract.access import Entries, Session
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection

TEXTS = ("red fox", "red dog", "blue fox", "green dog", "grey cat")
EXAMPLES = [Example("1", "red"), Example("2", "green"), Example("3", "cat"), Example("4", "blue")]


class Twice:
    """Makes two queries of an example."""

    def __call__(self, examples: Sequence[Example]) -> Queries:
        owners = np.repeat(np.arange(len(examples)), 2)
        return Queries(owners, tuple(text for one in examples for text in (one.input, f"{one.input} dog")))


@pytest.fixture
def access(tmp_path: Path) -> InformationAccess:
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")
    return InformationAccess(retriever, limits=Limits(depth=4, k=2, asks=2), name="g")


def test_some_ask_as_all_would_ahead_and_live(access: InformationAccess) -> None:
    whole = access.open(EXAMPLES).ask()
    for session in (access.open(EXAMPLES), access.open(EXAMPLES, access.search(EXAMPLES))):
        part = partial_session(session, np.array([1, 3]))
        assert isinstance(part, Session)
        found = part.ask()
        assert found.rows.tolist() == whole.rows[[1, 3]].tolist()
        assert [[item.text for item in items] for items in found.items] == [["green dog"], ["blue fox"]]
        assert part.ask(owners=np.array([1])).rows.tolist() == whole.rows[[3]].tolist()
        assert (session.left.tolist(), part.left.tolist()) == ([2, 1, 2, 0], [1, 0])
        assert [queries.owners.tolist() for queries, _ in session.asked] == [[1, 3], [3]]
        assert [queries.owners.tolist() for queries, _ in part.asked] == [[0, 1], [1]]
        given = part.ask(Queries(np.array([0, 1]), ("cat", "cat")))
        assert given.mask.any(1).tolist() == [True, False], "the second has no ask left"
        assert session.asked[-1][0].owners.tolist() == [1, 3]
        assert part.values("words", given).shape == given.rows.shape


@pytest.mark.parametrize("wrong", [-1, 2])
def test_who_is_none_of_them_asks_and_writes_nothing(access: InformationAccess, wrong: int) -> None:
    session = access.open(EXAMPLES)
    part, owners = partial_session(session, np.array([1, 3])), np.array([wrong])
    with pytest.raises(ValueError, match="owners are positions among these 2 examples"):
        part.ask(Queries(owners, ("red",)))
    with pytest.raises(ValueError, match="owners are positions among these 2 examples"):
        part.ask(owners=owners)
    with pytest.raises(ValueError, match="owners are positions among these 2 examples"):
        part.write(Entries(owners, ("a zebra",)))
    assert session.left.tolist() == [2, 2, 2, 2]


def test_several_queries_of_one_example_are_fused_and_told_by_owner(access: InformationAccess) -> None:
    model = InformationAccess(access.retriever, Twice(), limits=Limits(depth=4, k=2), name="g")
    session = model.open(EXAMPLES)
    found = session.ask(owners=np.array([1, 2]))
    assert found.rows.tolist() == model(EXAMPLES).rows[[1, 2]].tolist()
    told = trajectories(Batch(tuple(EXAMPLES), {"g": session}), [Answer("")] * 4)
    assert [[one.queries for one in told_of.asks] for told_of in told] == [
        [],
        [("green", "green dog")],
        [("cat", "cat dog")],
        [],
    ]


def test_groups_are_asked_for_those_of_their_examples(access: InformationAccess) -> None:
    first, last = access.open(EXAMPLES[:1]), access.open(EXAMPLES[2:])
    session = joint_session([(first, 1), (None, 1), (last, 2)])
    whole = session.ask()
    assert session.ask(owners=np.array([1, 3])).rows.tolist() == whole.rows[[1, 3]].tolist()
    assert [queries.owners.tolist() for queries, _ in last.asked] == [[0, 1], [1]]
    assert len(first.asked) == 1
    assert partial_session(session, np.array([0, 2])).ask().rows.tolist() == whole.rows[[0, 2]].tolist()
    with pytest.raises(ValueError, match="leave `owners` out"):
        session.ask(Queries(np.array([0]), ("red",)), owners=np.array([0]))


def test_groups_that_find_nothing_do_not_change_the_temperature(access: InformationAccess) -> None:
    model = InformationAccess(access.retriever, limits=Limits(depth=4, k=2, temperature=5.0), name="g")
    session = joint_session([(None, 1), (model.open(EXAMPLES[:1]), 1), (model.open(EXAMPLES[2:]), 2)])
    given = Queries(np.array([3]), ("blue",))
    for found in (session.ask(), session.ask(owners=np.array([3])), session.ask(given)):
        assert found.mask.any()
        assert found.temperature == 5.0


class Notes:
    """Keeps what is written as it comes."""

    def __init__(self) -> None:
        self.kept: list[Entries] = []

    def store(self, entries: Entries) -> Int64Array:
        self.kept.append(entries)
        return np.arange(len(entries))


def test_what_some_write_is_theirs(access: InformationAccess) -> None:
    notes = Notes()
    access.store = notes.store  # type: ignore[method-assign]
    rows = partial_session(access.open(EXAMPLES), np.array([1, 3])).write(Entries(np.array([1]), ("a zebra",)))
    assert rows.tolist() == [0]
    assert notes.kept[0].owners.tolist() == [3]
