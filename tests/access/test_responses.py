from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.access.responses import empty, gather
from reml.contract.examples import Item
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.testing import MemoryCollection


class CountingCollection(MemoryCollection):
    """Remembers which rows were asked for."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(texts)
        self.asked: list[list[int]] = []

    def get(self, rows: Int64Array) -> list[Item]:
        self.asked.append([int(row) for row in rows])
        return super().get(rows)


def hits(rows: list[list[int]]) -> Hits:
    array = np.array(rows, dtype=np.int64)
    scores = np.where(array >= 0, 1.0 + array, -np.inf).astype(np.float32)
    return Hits(array, scores)


def test_items_stand_in_the_order_of_the_hits_without_padding() -> None:
    responses = gather(MemoryCollection(["a", "b", "c"]), hits([[2, 0], [1, -1], [-1, -1]]))
    assert [[item.text for item in items] for items in responses.items] == [["c", "a"], ["b"], []]
    assert responses.rows.tolist() == [[2, 0], [1, -1], [-1, -1]]
    assert responses.mask.tolist() == [[True, True], [True, False], [False, False]]
    assert responses.mask.dtype == torch.bool
    assert responses.scores.dtype == torch.float32
    assert responses.scores.tolist() == [[3.0, 1.0], [2.0, -np.inf], [-np.inf, -np.inf]]


def test_each_distinct_row_is_fetched_once_in_one_call() -> None:
    collection = CountingCollection(["a", "b", "c"])
    responses = gather(collection, hits([[2, 0], [0, 2]]))
    assert collection.asked == [], "nobody has looked at an item yet"
    assert [items[0].row for items in responses.items] == [2, 0]
    assert responses.first(1).items[1][0].row == 0
    assert collection.asked == [[0, 2]]


def test_nothing_is_fetched_where_nothing_was_found() -> None:
    collection = CountingCollection(["a"])
    assert list(gather(collection, hits([[-1], [-1]])).items) == [(), ()]
    assert collection.asked == []


def test_responses_do_not_share_memory_with_the_hits() -> None:
    found = hits([[0]])
    responses = gather(MemoryCollection(["a"]), found)
    found.scores[0, 0] = 9.0
    assert responses.scores.tolist() == [[1.0]]


def test_a_row_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match="7"):
        list(gather(MemoryCollection(["a"]), hits([[7]])).items)


def test_empty_has_no_places() -> None:
    responses = empty(3)
    assert (len(responses), responses.k) == (3, 0)
    assert responses.items == ((), (), ())
    assert responses.scores.shape == responses.mask.shape == (3, 0)
