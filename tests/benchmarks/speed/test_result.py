from __future__ import annotations

import json

from reml.benchmarks.speed.growth import FULL
from reml.benchmarks.speed.result import machine, versions
from tests.benchmarks.speed.small_result import result


def test_the_layout_of_the_json() -> None:
    written = json.loads(json.dumps(result().to_json()))
    assert written["kind"] == "reml speed benchmark"
    assert written["full_rows"] == FULL == 22_000_000
    assert set(written) == {
        "kind", "full_rows", "machine", "versions", "settings", "comparisons", "growths", "skipped",
    }  # fmt: skip
    first = written["comparisons"][0]
    assert (first["corpus"], first["model"], first["rows"], first["touched"]) == (
        "synthetic",
        "bm25",
        1_000,
        {"short": 7.0},
    )
    fast = first["engines"][0]
    assert fast["builds"][0] == {
        "source": "text",
        "cost": {"wall": 0.25, "cpu": 0.25, "peak": 100_250_000, "base": 100_000_000},
        "disk": 1_000,
    }
    answer = fast["serving"]["answers"][1]
    assert (answer["queries"], answer["k"]) == ("short", 100)
    assert answer["latency"]["wall"] == {"p50": 0.25, "p95": 0.5, "p99": 1.0, "mean": 0.375}
    assert answer["throughputs"][1] == {"threads": 2, "per_second": 8_000.0, "per_cpu_second": 4_000.0}
    assert fast["recalls"][1] == {"queries": "short", "k": 100, "recall": 0.5}
    assert written["skipped"] == [{"engine": "gone", "reason": "it <fell>"}]
    laws = {"law", "at_full", "line_at_full"}
    assert set(written["growths"][0]) == {"model", "engine", "quantity", "unit", "rows", "values", *laws}


def test_the_machine_and_the_versions_are_told() -> None:
    assert set(machine()) == {"processor", "cores", "memory", "system"}
    assert int(machine()["cores"]) > 0
    assert {"reml", "numpy", "numba", "scipy"} <= set(versions())
