"""The contract tests of what an access model does before and after its search."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path

import numpy as np

from reml.access.responses import empty, gather
from reml.contract.access import QueryExpansion, QueryGenerator, ResponseProcessor
from reml.contract.examples import Answer, Example, Item
from reml.contract.retrieved import Hits, Queries, Responses, Rows
from reml.contract.retrievers import Retriever
from reml.testing.contract import Contract
from reml.testing.memory_collection import TEXTS, MemoryCollection

ASKED = Queries.of(["penguins ice partners", "copper harbour exported", "volcanoes"])


class QueryGeneratorContract(Contract, ABC):
    """What every query generator must do."""

    @abstractmethod
    def make(self) -> QueryGenerator:
        """Make the generator."""

    def examples(self) -> list[Example]:
        """Give inputs that it makes queries of."""
        answer = (Answer("ice"),)
        return [
            Example("1", "What do penguins breed on?", answer),
            Example("2", "They live near [START_ENT] Lake Chad [END_ENT] in the south.", answer),
            Example("3", "Hello.\nHi, what is exported from the harbour?", answer),
        ]

    def test_every_example_has_a_query(self) -> None:
        """At least one, owners ascending, with a text that says something or a state for each."""
        queries = self.make()(self.examples())
        assert np.unique(queries.owners).tolist() == [0, 1, 2]
        assert (np.diff(queries.owners) >= 0).all()
        assert queries.states is not None or len(queries.asking) == len(queries)

    def test_examples_do_not_touch_each_other(self) -> None:
        """Each has the queries that it has alone."""
        generator, examples = self.make(), self.examples()
        together = generator(examples)
        for number, example in enumerate(examples):
            own = [text for owner, text in zip(together.owners, together.texts, strict=True) if owner == number]
            assert list(generator([example]).texts) == own

    def test_answers_are_not_looked_at(self) -> None:
        """An example of a test split has the same queries."""
        generator, examples = self.make(), self.examples()
        hidden = [replace(example, output=()) for example in examples]
        assert generator(hidden).texts == generator(examples).texts

    def test_no_examples_have_no_queries(self) -> None:
        """An empty batch is one too."""
        assert len(self.make()([])) == 0


class QueryExpansionContract(Contract, ABC):
    """What every query expansion must do."""

    @abstractmethod
    def make(self) -> QueryExpansion:
        """Make the expansion."""

    @abstractmethod
    def retriever(self, folder: Path) -> Retriever:
        """Make a retriever over `MemoryCollection(TEXTS)` that it can expand queries for."""

    def test_queries_become_others_of_the_same_owners(self, tmp_path: Path) -> None:
        """`states` hold what they became; owners and filters stay."""
        asked = replace(ASKED, owners=np.array([0, 0, 2]), only=Rows.of([[], [0], []], excluded=True))
        expanded = self.make()(asked, self.retriever(tmp_path))
        assert expanded.states is not None
        assert expanded.owners.tolist() == [0, 0, 2]
        assert expanded.only is not None
        assert expanded.only.rows.tolist() == [0]

    def test_what_they_became_is_searched_with_and_is_another(self, tmp_path: Path) -> None:
        """The retriever takes them, still finds what was asked for, and gives other scores."""
        retriever = self.retriever(tmp_path)
        before, after = retriever.search(ASKED, 3), retriever.search(self.make()(ASKED, retriever), 3)
        assert after.rows[:, 0].tolist() == before.rows[:, 0].tolist() == [4, 3, 1]
        assert not np.allclose(after.scores[:, 0], before.scores[:, 0])

    def test_queries_do_not_touch_each_other(self, tmp_path: Path) -> None:
        """Each becomes what it becomes alone."""
        retriever = self.retriever(tmp_path)
        together = retriever.search(self.make()(ASKED, retriever), 3)
        for place in range(len(ASKED)):
            alone = retriever.search(self.make()(ASKED.take(np.array([place])), retriever), 3)
            assert alone.rows[0].tolist() == together.rows[place].tolist()
            np.testing.assert_allclose(alone.scores[0], together.scores[place], rtol=1e-4)

    def test_a_query_that_says_nothing_finds_nothing(self, tmp_path: Path) -> None:
        """There is nothing to expand it by."""
        retriever = self.retriever(tmp_path)
        found = retriever.search(self.make()(Queries.of(["", "penguins"]), retriever), 2)
        assert found.rows[0].tolist() == [-1, -1]
        assert found.rows[1, 0] == 4


class ResponseProcessorContract(Contract, ABC):
    """What every response processor must do."""

    @abstractmethod
    def make(self) -> ResponseProcessor:
        """Make the processor."""

    def test_gives_sound_lists_of_the_same_queries(self) -> None:
        """Items stand where their rows do, none twice, none that was not there; padding is masked and at the end."""
        given = self._given()
        found = self.make()(ASKED, given)
        assert len(found) == len(ASKED)
        for items, rows, mask, allowed in zip(found.items, found.rows, found.mask, given.rows, strict=True):
            assert [item.row for item in items] == rows[: len(items)].tolist()
            assert mask.tolist() == [place < len(items) for place in range(found.k)]
            assert (rows[len(items) :] == -1).all()
            assert len({item.row for item in items}) == len(items)
            assert {item.row for item in items} <= set(allowed.tolist())
        assert found.scores.isneginf().tolist() == (~found.mask).tolist()
        assert found.mask.any(), "it drops everything"

    def test_queries_do_not_touch_each_other(self) -> None:
        """Each gets the list that it gets alone."""
        given, processor = self._given(), self.make()
        together = [[row for row in rows if row >= 0] for rows in processor(ASKED, given).rows.tolist()]
        for place, expected in enumerate(together):
            one = Hits(given.rows[[place]], given.scores[[place]].numpy())
            found = processor(ASKED.take(np.array([place])), gather(MemoryCollection(TEXTS), one))
            assert [row for row in found.rows[0].tolist() if row >= 0] == expected

    def test_items_are_those_of_their_rows(self) -> None:
        """Only text and span may be changed: what is read still is an item of the collection, and of its page."""
        given = self._given()
        before = {item.row: item for items in given.items for item in items}
        for items in self.make()(ASKED, given).items:
            for item in items:
                assert replace(item, text="", span=None) == replace(before[item.row], text="", span=None)

    def test_the_same_is_given_each_time(self) -> None:
        """What is retrieved ahead is what would be live."""
        processor = self.make()
        once, again = processor(ASKED, self._given()), processor(ASKED, self._given())
        assert once.rows.tolist() == again.rows.tolist()
        assert list(once.items) == list(again.items)
        assert once.scores.tolist() == again.scores.tolist()

    def test_items_may_lack_text_title_page_and_span(self) -> None:
        """A collection may hold such; origins go with their items."""
        given = self._given()
        bare = tuple(tuple(Item(item.row, item.text if item.row % 2 else "") for item in held) for held in given.items)
        origins = np.where(given.rows >= 0, given.rows % 2, 0).astype(np.int8)
        found = self.make()(ASKED, replace(given, items=bare, origins=origins, names=("even", "odd")))
        assert [[item.row for item in items] for items in found.items] == [
            [row for row in rows if row >= 0] for rows in found.rows.tolist()
        ]
        assert found.origins.tolist() == np.where(found.rows >= 0, found.rows % 2, 0).tolist()

    def test_nothing_found_stays_nothing(self) -> None:
        """No places, and places of padding alone."""
        processor = self.make()
        assert processor(ASKED, empty(len(ASKED))).rows.size == 0
        padding = gather(MemoryCollection(TEXTS), Hits.empty(len(ASKED), 2))
        assert (processor(ASKED, padding).rows == -1).all()

    def test_what_it_is_given_stays_as_it_is(self) -> None:
        """Others look at the same responses: a session has them on record."""
        given = self._given()
        self.make()(ASKED, given)
        assert given.rows.tolist() == self._given().rows.tolist()
        assert given.scores.tolist() == self._given().scores.tolist()

    def _given(self) -> Responses:
        rows = np.array([[0, 4, 2, 1], [3, 1, -1, -1], [2, 1, 0, -1]])
        scores = np.where(rows >= 0, 4.0 - np.arange(4), -np.inf).astype(np.float32)
        return gather(MemoryCollection(TEXTS), Hits(rows, scores))
