from __future__ import annotations

from reml.reporting.cost_table import cost_table

ONE = {"stages": 1, "made": 1, "seconds": 59.94, "cpu_seconds": 3.0, "peak_memory_bytes": 2**29, "bytes": 2048}


def test_costs_are_summed_but_for_memory() -> None:
    two = {"stages": 2, "made": 0, "seconds": 3600, "cpu_seconds": 61, "peak_memory_bytes": 3 * 2**30, "bytes": 2**21}
    assert cost_table({"index": ONE, "training": two}).rows == [
        ("index", "1", "1", "59.9 s", "3.0 s", "512 MiB", "2 KiB"),
        ("training", "2", "0", "1 h 00 min", "1 min 01 s", "3.00 GiB", "2 MiB"),
        ("all", "3", "1", "1 h 01 min", "1 min 04 s", "3.00 GiB", "2 MiB"),
    ]


def test_what_is_not_known_is_a_dash() -> None:
    rows = cost_table({"index": ONE, "retrieval": {**ONE, "cpu_seconds": None}}).rows
    assert [row[4] for row in rows] == ["3.0 s", "–", "–"]
    assert cost_table({}).rows == []
