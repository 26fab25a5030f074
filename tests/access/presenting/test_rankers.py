"""Cascades whose stages keep more than they are given."""

from __future__ import annotations

import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting import DistinctPages, First, Rerank
from reml.contract.access import ResponseProcessor
from reml.testing import TEXTS, MemoryCollection, WordRetriever
from tests.overlap import Overlap


def cascade(*processors: ResponseProcessor) -> InformationAccess:
    retriever = WordRetriever(MemoryCollection(TEXTS))
    return InformationAccess(retriever, processors=processors, limits=Limits(depth=20, k=5))


@pytest.mark.parametrize(
    ("processors", "message"),
    [
        ([Rerank(Overlap(), keep=21)], "Rerank keeps 21 items of a query, but the depth of the search is 20"),
        (
            [First(10), DistinctPages(), Rerank(Overlap(), keep=11)],
            "Rerank keeps 11 items of a query, but the First before it keeps 10",
        ),
        ([Rerank(Overlap(), keep=9), First(10)], "First keeps 10 items of a query, but the Rerank before it keeps 9"),
    ],
)
def test_a_stage_that_keeps_more_than_it_is_given_is_refused(processors: list[ResponseProcessor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cascade(*processors)


def test_a_stage_that_keeps_as_many_or_says_nothing_is_not() -> None:
    assert cascade(Rerank(Overlap(), keep=20), Rerank(Overlap()), First(20), Rerank(Overlap(), keep=1)).limits.k == 5
