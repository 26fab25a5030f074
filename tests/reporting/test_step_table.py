from __future__ import annotations

from reml.contract.examples import Json
from reml.reporting.step_table import COLUMNS, step_table


def test_items_and_time_are_a_query_s_and_shares_are_of_each_access_model() -> None:
    search: dict[str, Json] = {"name": "search", "queries": 4, "items": 40, "seconds": 0.001}
    rank: dict[str, Json] = {"name": "Rerank", "queries": 4, "items": 20, "seconds": 0.003}
    table = step_table({"nq": {"bm25": [search], "cascade": [search, rank]}})
    assert table.columns == COLUMNS
    assert [tuple(row) for row in table.rows] == [
        ("nq", "bm25", "search", "10.0", "0.25", "100%"),
        ("nq", "cascade", "search", "10.0", "0.25", "25%"),
        ("nq", "cascade", "Rerank", "5.0", "0.75", "75%"),
    ]


def test_nothing_is_no_row_and_what_cannot_be_read_is_left_out() -> None:
    assert not step_table({}).rows
    assert not step_table({"nq": {"bm25": "search"}, "squad": 3}).rows
    (row,) = step_table({"nq": {"bm25": [{"name": "search", "queries": 0, "items": 0, "seconds": 0.0}]}}).rows
    assert row[-1] == "–"
