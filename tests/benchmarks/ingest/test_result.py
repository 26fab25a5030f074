from __future__ import annotations

import json

import pytest

from reml.benchmarks.ingest.result import growths
from reml.kilt.catalogue import PAGES
from tests.benchmarks.ingest.small_result import built, result


def test_each_quantity_is_led_to_kilt_s_pages() -> None:
    found = {one.quantity: one for one in growths([built(10_000), built(30_000), built(100_000)])}
    wall, memory, disk = found["wall time"], found["peak memory"], found["disk"]
    assert (wall.pages, wall.values, wall.unit) == ((10_000, 30_000, 100_000), (10.0, 30.0, 100.0), "s")
    assert wall.law.exponent == pytest.approx(1)
    assert wall.at_kilt == pytest.approx(PAGES / 1_000)
    assert wall.line_at_kilt == pytest.approx(PAGES / 1_000)
    assert found["CPU time"].at_kilt == pytest.approx(PAGES / 2_000)
    assert memory.law.exponent == pytest.approx(0, abs=1e-9)
    assert memory.at_kilt == pytest.approx(500)
    assert disk.at_kilt == pytest.approx(4_000 * PAGES / 1e6)
    assert found["passages"].at_kilt == pytest.approx(5 * PAGES / 1e6)


def test_memory_that_one_segment_does_not_fill_says_nothing_of_growth() -> None:
    few = {one.quantity: one for one in growths([built(1_000), built(10_000), built(100_000)])}
    assert few["peak memory"].pages == (10_000, 100_000)
    assert few["disk"].pages == (1_000, 10_000, 100_000)
    assert "peak memory" not in {one.quantity for one in growths([built(1_000), built(100_000)])}


def test_one_size_has_no_growth() -> None:
    assert growths([built(10)]) == []


def test_the_result_is_written_as_json() -> None:
    written = json.loads(json.dumps(result("a").to_json()))
    assert written["kilt_pages"] == 5_903_530
    assert written["builds"][1]["cost"] == {"wall": 100.0, "cpu": 50.0, "peak": 500_000_000, "base": 100_000_000}
    assert written["interruption"]["differing"] == ["a"]
    assert [one["quantity"] for one in written["growths"]][:2] == ["wall time", "CPU time"]
