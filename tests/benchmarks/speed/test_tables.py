from __future__ import annotations

import io

from rich.console import Console

from reml.benchmarks.speed.growth import growths
from reml.benchmarks.speed.tables import answered, built, grown, short, titled
from tests.benchmarks.speed.small_result import comparison


def test_answers_stand_by_queries_and_k_with_ratios() -> None:
    given = comparison(1_000)
    grid = answered(given, given.engines[1])
    rows = [dict(zip(grid.columns, row, strict=True)) for row in grid.rows]
    assert [(row["k"], row["engine"]) for row in rows] == [
        ("10", "fast"),
        ("10", "slow"),
        ("100", "fast"),
        ("100", "slow"),
    ]
    assert rows[0] == {
        "queries": "short", "k": "10", "engine": "fast", "recall": "1.000", "p50 ms": "0.25", "p95": "0.5", "p99": "1",
        "CPU p50": "0.25", "CPU p99": "1", "× p50": "4.00", "q/CPU s": "4,000", "× batch": "4.00",
        "q/s 1 thr.": "4,000", "q/s 2 thr.": "8,000", "× 2 thr.": "4.00",
    }  # fmt: skip
    assert rows[3]["recall"] == "0.500"


def test_builds_stand_with_memory_and_disk() -> None:
    grid = built(comparison(100_000))
    row = dict(zip(grid.columns, grid.rows[0], strict=True))
    assert (row["engine"], row["from"], row["build s"], row["peak MB"], row["base MB"]) == (
        "fast",
        "text",
        "25",
        "125",
        "100",
    )
    assert (row["disk MB"], row["first result s"]) == ("0.1", "0.25")


def test_growth_is_shown_in_the_terminal() -> None:
    grid = grown(growths([comparison(1_000), comparison(100_000)]))
    row = next(row for row in grid.rows if row[1] == "slow")
    assert row == ("bm25", "slow", "build from text", "1.00", "1.00", "22,000", "22,000", "CPU s")
    console = Console(width=120, file=io.StringIO())
    with console.capture() as captured:
        console.print(grid.terminal())
    assert "at 22 million" in captured.get()
    last = [line.split()[-4:] for line in captured.get().splitlines()]
    assert ["88,000", "88,000", "CPU", "ms"] in last, "the p99 of slow"


def test_numbers_are_written_short() -> None:
    assert [short(value) for value in (0.01234, 1.0, 99.44, 123.4, 1234567.0)] == [
        "0.0123",
        "1",
        "99.4",
        "123",
        "1,234,567",
    ]
    assert titled(comparison(1_000)).startswith("bm25, 1,000 items (synthetic); postings a query touches: short 7")
