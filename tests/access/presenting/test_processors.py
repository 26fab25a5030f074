from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.access.presenting.processors import DistinctPages, First, keep
from reml.access.responses import empty
from reml.contract.access import ResponseProcessor
from reml.contract.examples import Item, Span
from reml.contract.retrieved import Queries, Responses
from reml.testing import ResponseProcessorContract

QUERIES = Queries.of(["a", "b"])


def item(row: int, page: str) -> Item:
    return Item(row, f"text {row}", "Title", page, Span(1, 0, 1, 1))


def responses() -> Responses:
    """Two examples: items 10 (page a), 11 (a), 12 (b), and 20 (c) with padding."""
    return Responses(
        items=((item(10, "a"), item(11, "a"), item(12, "b")), (item(20, "c"),)),
        rows=np.array([[10, 11, 12], [20, -1, -1]], dtype=np.int64),
        scores=torch.tensor([[3.0, 2.0, 1.0], [5.0, -torch.inf, -torch.inf]], requires_grad=True),
        mask=torch.tensor([[True, True, True], [True, False, False]]),
    )


def test_the_first_items_are_kept() -> None:
    kept = First(2)(QUERIES, responses())
    assert kept.rows.tolist() == [[10, 11], [20, -1]]
    assert [[item.row for item in items] for items in kept.items] == [[10, 11], [20]]
    assert kept.scores.tolist() == [[3, 2], [5, -torch.inf]]
    assert kept.mask.tolist() == [[True, True], [True, False]]


def test_more_than_there_is_changes_nothing() -> None:
    kept = First(9)(QUERIES, responses())
    assert kept.rows.tolist() == responses().rows.tolist()
    assert kept.scores.tolist() == responses().scores.tolist()


def test_the_best_item_of_each_page_is_kept() -> None:
    kept = DistinctPages()(QUERIES, responses())
    assert kept.rows.tolist() == [[10, 12], [20, -1]]
    assert [[item.page_id for item in items] for items in kept.items] == [["a", "b"], ["c"]]


def test_scores_keep_their_gradient_and_only_where_they_are_kept() -> None:
    given = responses()
    kept = DistinctPages()(QUERIES, given)
    torch.where(kept.mask, kept.scores, 0).sum().backward()  # type: ignore[no-untyped-call]
    assert given.scores.grad is not None
    assert given.scores.grad.tolist() == [[1, 0, 1], [1, 0, 0]]


def test_items_may_be_put_in_another_order_or_all_dropped() -> None:
    assert keep(responses(), [[2, 0], []]).rows.tolist() == [[12, 10], [-1, -1]]
    none = keep(responses(), [[], []])
    assert (none.k, list(none.items), none.scores.shape) == (0, [(), ()], (2, 0))


def test_nothing_retrieved_stays_nothing() -> None:
    for processor in (First(2), DistinctPages()):
        kept = processor(QUERIES, empty(3))
        assert (len(kept), kept.k) == (3, 0)


def test_no_items_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="not 0"):
        First(0)


class TestFirst(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return First(2)


class TestDistinctPages(ResponseProcessorContract):
    def make(self) -> ResponseProcessor:
        return DistinctPages()
