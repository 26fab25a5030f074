from __future__ import annotations

import pytest

from reml.access.limits import Limits, Order
from reml.access.presenting.order import in_order
from reml.contract.examples import Item, Span
from tests.access.presenting.lists import found

ITEMS = [
    Item(4, "", "", "x", Span(3, 0, 3, 1)),
    Item(2, "", "", "y", Span(1, 5, 1, 6)),
    Item(7, "", "", "", None),
    Item(9, "", "", "x", Span(1, 2, 2, 1)),
    Item(8, "", "", "x", Span(1, 10, 1, 12)),
    Item(1, "", "", "", None),
]


@pytest.mark.parametrize(
    ("order", "rows"),
    [
        ("best_first", [4, 2, 7, 9, 8, 1]),
        ("best_last", [1, 8, 9, 7, 2, 4]),
        ("by_page", [9, 8, 4, 2, 7, 1]),
    ],
)
def test_items_stand_in_order_with_all_that_is_theirs(order: Order, rows: list[int]) -> None:
    given = found(ITEMS, ITEMS[1:2], [])
    turned = in_order(given, order)
    assert turned.rows.tolist() == [rows, [2, -1, -1, -1, -1, -1], [-1] * 6]
    assert [[one.row for one in items] for items in turned.items] == [rows, [2], []]
    scores = dict(zip(given.rows[0].tolist(), given.scores[0].tolist(), strict=True))
    assert turned.scores[0].tolist() == [scores[row] for row in rows]
    assert turned.scores.requires_grad
    assert turned.mask.tolist() == given.mask.tolist()
    assert turned.origins.tolist() == given.origins.tolist()


def test_an_order_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="best_last"):
        Limits(order="worst_first")  # type: ignore[arg-type]
