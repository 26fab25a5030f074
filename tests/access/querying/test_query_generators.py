from __future__ import annotations

from pathlib import Path

import pytest

from reml.access.querying.query_generators import ExpandedQuery, InputQuery, KiltQuery, MentionQuery
from reml.access.querying.relevance_feedback import RM3
from reml.contract.access import QueryGenerator
from reml.contract.examples import Example
from reml.retrievers.bm25.retriever import BM25
from reml.testing import TEXTS, MemoryCollection, QueryGeneratorContract


def example(text: str) -> Example:
    return Example("1", text)


def test_the_input_is_the_query() -> None:
    queries = InputQuery()([example("one"), example("two")])
    assert queries.texts == ("one", "two")
    assert queries.owners.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("window", "query"),
    [
        (0, "Chad Lake"),
        (1, "near Chad Lake the"),
        (2, "rose near Chad Lake the water"),
        (9, "It rose near Chad Lake the water fell"),
    ],
)
def test_a_mention_is_asked_for_with_its_neighbours(window: int, query: str) -> None:
    text = "It rose near [START_ENT] Chad Lake [END_ENT] the water fell"
    assert MentionQuery(window)([example(text)]).texts == (query,)


def test_a_mention_may_break_the_line_and_the_first_one_counts() -> None:
    text = "a [START_ENT]Chad\nLake[END_ENT] b [START_ENT] Peru [END_ENT]"
    assert MentionQuery(0)([example(text)]).texts == ("Chad\nLake",)


def test_an_input_without_a_mention_is_its_own_query() -> None:
    assert MentionQuery()([example("What  is [START_ENT] this?")]).texts == ("What  is [START_ENT] this?",)


def test_a_negative_window_is_refused() -> None:
    with pytest.raises(ValueError, match="not -1"):
        MentionQuery(-1)


TURNS = "Do you know Chad?\nIts area is 1.284 million sq km.\nI see.\nHow is it ruled?"


@pytest.mark.parametrize(
    ("first", "last", "query"),
    [
        (1, 1, "Do you know Chad?\nHow is it ruled?"),
        (0, 1, "How is it ruled?"),
        (1, 2, "Do you know Chad?\nI see.\nHow is it ruled?"),
        (2, 2, TURNS),
    ],
)
def test_of_a_dialogue_the_first_and_the_last_turns_are_asked(first: int, last: int, query: str) -> None:
    assert KiltQuery(first=first, last=last)([example(TURNS)]).texts == (query,)


def test_blank_lines_are_no_turns() -> None:
    assert KiltQuery()([example("one\n\n two\n\nthree\n")]).texts == ("one\nthree",)


def test_a_text_with_a_mention_is_no_dialogue_and_another_input_is_its_own_query() -> None:
    text = "It rose.\nNear [START_ENT] Chad [END_ENT] the\nwater fell"
    queries = KiltQuery(1)([example(text), example("what is this?"), example("Chad [SEP] capital")])
    assert queries.texts == ("Near Chad the", "what is this?", "Chad [SEP] capital")


def test_a_query_needs_a_turn() -> None:
    with pytest.raises(ValueError, match="not 1 and 0"):
        KiltQuery(last=0)


class TestKiltQuery(QueryGeneratorContract):
    def make(self) -> QueryGenerator:
        return KiltQuery(2)


class TestInputQuery(QueryGeneratorContract):
    def make(self) -> QueryGenerator:
        return InputQuery()


class TestMentionQuery(QueryGeneratorContract):
    def make(self) -> QueryGenerator:
        return MentionQuery(2)


class TestExpandedQuery(QueryGeneratorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "bm25")

    def make(self) -> QueryGenerator:
        return ExpandedQuery(MentionQuery(2), RM3(), self.retriever)
