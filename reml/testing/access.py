"""The contract test of an access model and of the sessions it opens."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np
import pytest

from reml.contract.access import Access, Entries, Session
from reml.contract.examples import Example
from reml.contract.retrieved import Queries, Responses
from reml.testing.contract import Contract

EXAMPLES = (Example("1", "copper and zinc"), Example("2", "penguins on the ice"))
K = 2


class AccessContract(Contract, ABC):
    """What every access model must do, over a collection of `TEXTS`."""

    @abstractmethod
    def make(self, folder: Path, asks: int | None = None) -> Access:
        """Make an access model of k = 2 to the texts, whose budget is so many asks; `folder` is empty and its own."""

    def test_it_opens_sessions(self, tmp_path: Path) -> None:
        """Both are what the contract says; its category says what it can do."""
        access = self.make(tmp_path)
        assert isinstance(access, Access)
        assert isinstance(access.open(EXAMPLES), Session)
        assert access.category in (1, 2, 3, 4)

    def test_own_queries_are_answered_by_one_list_an_example(self, tmp_path: Path) -> None:
        """At most k items, best first, where their rows are."""
        access = self.make(tmp_path)
        found = access.open(EXAMPLES).ask()
        assert len(found) == len(EXAMPLES)
        assert found.k <= K
        assert _first_words(found) == ["copper", "penguins"]
        for items, rows in zip(found.items, found.rows, strict=True):
            assert [item.row for item in items] == rows[rows >= 0].tolist()
            assert items == tuple(access.collection.get(rows[rows >= 0]))

    def test_own_queries_may_be_asked_of_some_examples(self, tmp_path: Path) -> None:
        """Only they spend an ask and are on record; whose is unclear is refused."""
        access = self.make(tmp_path, asks=1)
        session, whole = access.open(EXAMPLES), access.open(EXAMPLES).ask()
        found = session.ask(owners=np.array([1]))
        assert found.rows.tolist() == whole.rows[[1]].tolist()
        assert session.left.tolist() == [1, 0]
        assert [queries.owners.tolist() for queries, _ in session.asked] == [[1]]
        assert not session.ask(owners=np.array([1])).mask.any(), "its budget is spent"
        for owners in ([2], [1, 0], [0, 0]):
            with pytest.raises(ValueError, match="owners"):
                session.ask(owners=np.array(owners))
        with pytest.raises(ValueError, match="leave `owners` out"):
            session.ask(Queries(np.array([0]), ("copper",)), owners=np.array([0]))

    def test_given_queries_are_answered_one_by_one(self, tmp_path: Path) -> None:
        """Several of one example, none of another, as many items as are asked for."""
        found = self.make(tmp_path).open(EXAMPLES).ask(Queries(np.array([1, 1]), ("copper", "volcanoes")), k=1)
        assert found.rows.shape == (2, 1)
        assert _first_words(found) == ["copper", "volcanoes"]

    def test_what_was_asked_is_on_record(self, tmp_path: Path) -> None:
        """In order, with what came back; another session has a record of its own."""
        access = self.make(tmp_path)
        session = access.open(EXAMPLES)
        answers = [session.ask(), session.ask(Queries(np.array([1]), ("copper",)))]
        assert [found for _, found in session.asked] == answers
        assert [queries.owners.tolist() for queries, _ in session.asked] == [[0, 1], [1]]
        assert not access.open(EXAMPLES).asked

    def test_past_its_budget_an_example_finds_nothing(self, tmp_path: Path) -> None:
        """On record; the others go on, and the next session has the whole budget."""
        access = self.make(tmp_path, asks=2)
        session = access.open(EXAMPLES)
        assert session.left.tolist() == [2, 2]
        session.ask(Queries(np.array([1, 1]), ("copper", "zinc")))
        session.ask()
        assert session.left.tolist() == [1, 0]
        late = session.ask()
        assert late.mask.any(dim=1).tolist() == [True, False]
        assert len(late.items[1]) == 0
        assert len(session.asked) == 3
        assert access.open(EXAMPLES).left.tolist() == [2, 2]

    def test_what_cannot_be_asked_is_said(self, tmp_path: Path) -> None:
        """Queries of nobody, of owners in disorder, and a k below 0."""
        session = self.make(tmp_path).open(EXAMPLES)
        for owners in ([2], [-1], [1, 0]):
            with pytest.raises(ValueError, match="owners"):
                session.ask(Queries(np.array(owners), ("copper",) * len(owners)))
        with pytest.raises(ValueError, match="k is a number of items"):
            session.ask(k=-1)

    def test_numbers_beside_the_items_are_given(self, tmp_path: Path) -> None:
        """Every collection counts words, 0 at padding; columns that are not there are named with those that are."""
        session = self.make(tmp_path).open(EXAMPLES)
        found = session.ask()
        words = session.values("words", found)
        assert tuple(words.shape) == found.rows.shape
        assert words[0, 0] == len(found.items[0][0].text.split())
        with pytest.raises(KeyError, match="no column 'no-such'"):
            session.values("no-such", found)

    def test_it_stores_if_its_category_says_so(self, tmp_path: Path) -> None:
        """What is written is found by a later ask; else the refusal says that it does not store."""
        access = self.make(tmp_path)
        session = access.open(EXAMPLES)
        entries = Entries(np.array([0]), ("zebras graze at noon",))
        if access.category in (1, 3):
            with pytest.raises(RuntimeError, match="does not store"):
                session.write(entries)
            return
        row = session.write(entries)
        assert row.shape == (1,)
        found = session.ask(Queries(np.array([1]), ("zebras graze",)), k=1)
        assert found.rows.tolist() == [row.tolist()]
        assert found.items[0][0].text == "zebras graze at noon"


def _first_words(found: Responses) -> list[str]:
    return [items[0].text.split()[0].lower() for items in found.items]
