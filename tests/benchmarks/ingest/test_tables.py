from __future__ import annotations

from reml.benchmarks.ingest.tables import built, grown, interrupted, rates
from tests.benchmarks.ingest import small_result


def test_builds_and_rates() -> None:
    made = [small_result.built(100_000)]
    assert built(made).rows == [("100,000", "1,000", "500,000", "400", "500", "100", "50")]
    # 1,000 MB and 500,000 passages in 100 s, of which 50 s on a core.
    assert rates(made).rows == [("100,000", "10", "5,000", "20", "10,000")]


def test_growth_says_where_it_leads() -> None:
    wall, _, memory, disk, _ = grown(small_result.result().growths).rows
    assert wall == ("wall time", "1.00", "1.00", "5,904", "5,904", "s")
    assert disk == ("disk", "1.00", "1.00", "23,614", "23,614", "MB")
    assert memory[-3:] == ("500", "500", "MB")


def test_an_interruption_is_told_in_a_sentence() -> None:
    told = interrupted(small_result.interruption())
    assert "0.25 s after 3 of 20 segments, with 30,000 of 100,000 pages on record; going on took 100 s." in told
    assert "All 7 files are byte for byte" in told
    assert "2 files DIFFER from the undisturbed build: a, b." in interrupted(small_result.interruption("a", "b"))
