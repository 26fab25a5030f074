from __future__ import annotations

import time
from pathlib import Path

import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting import Compress, DistinctPages, Rerank, Snippet
from reml.access.steps import step_names, watched
from reml.contract.examples import Example
from reml.contract.retrieved import Queries, Responses
from reml.retrievers.bm25.retriever import BM25
from reml.testing import TEXTS, MemoryCollection
from tests.overlap import Overlap

EXAMPLES = [Example("1", "copper penguins fox"), Example("2", "penguins"), Example("3", "")]


class Slow:
    """Takes its time, and drops all but the first item."""

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        time.sleep(0.05)
        return responses.first(1)


@pytest.fixture
def access(tmp_path: Path) -> InformationAccess:
    retriever = BM25().index(MemoryCollection(TEXTS), tmp_path / "index")
    return InformationAccess(retriever, processors=[Slow(), Rerank(Overlap())], limits=Limits(depth=5, k=2))


def test_each_step_has_its_items_and_its_time(access: InformationAccess) -> None:
    with watched() as steps:
        hits = access.search(EXAMPLES)
    search, slow, rerank = steps
    assert [step.name for step in steps] == ["search", "Slow", "Rerank by Overlap"]
    assert {step.queries for step in steps} == {3}
    assert search.items == slow.items > rerank.items == hits.mask.sum() == 2
    assert slow.seconds >= 0.05
    assert rerank.seconds > 0


def test_steps_of_several_calls_are_added_up_and_nothing_is_noted_unwatched(access: InformationAccess) -> None:
    access.search(EXAMPLES)
    with watched() as steps:
        access.search(EXAMPLES[:1])
        with watched() as inner:
            access.search(EXAMPLES[1:2])
        access.search(EXAMPLES[:2])
    assert [step.queries for step in steps] == [3] * 3, "what is watched inside is not counted outside"
    assert [step.queries for step in inner] == [1] * 3
    assert steps[1].seconds >= 0.1


def test_what_is_left_unread_is_no_cost(access: InformationAccess) -> None:
    """`copper penguins fox` finds more than one item, `penguins` one alone, and nothing asks for nothing."""
    sparing = InformationAccess(
        access.retriever,
        processors=[Rerank(Overlap(), depth=1), Rerank(Overlap(), margin=1.0), DistinctPages()],
        limits=access.limits,
    )
    with watched() as steps:
        hits = sparing.search(EXAMPLES)
    search, first, second, last = steps
    assert search.items > first.items == 2
    assert second.items == search.items, "a ranker's scores below 0 let no query leave"
    assert last.items == search.items
    assert hits.mask.any()


def test_steps_alike_have_numbers() -> None:
    """A cascade of two rankers of one class has two steps."""
    names = step_names([Rerank(Overlap()), DistinctPages(), Rerank(Overlap()), Rerank("named"), Rerank(Overlap())])
    assert names == [
        "Rerank by Overlap",
        "DistinctPages",
        "Rerank by Overlap (2)",
        "Rerank",
        "Rerank by Overlap (3)",
    ]
    assert step_names([Snippet(), Snippet(scorer=Overlap()), Compress()]) == [
        "Snippet",
        "Snippet by Overlap",
        "Compress",
    ]
