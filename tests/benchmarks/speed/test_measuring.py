from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.benchmarks.speed.measuring import Asking, measure_build, measure_search
from reml.benchmarks.speed.recall import mean_recalls
from reml.benchmarks.speed.scoring import DOT
from tests.benchmarks.speed.engines.contract import ROWS, workload

DENSE = "tests.benchmarks.speed.toy_engines.Dense"


def test_an_engine_is_built_and_searched(tmp_path: Path) -> None:
    given, folder = workload(tmp_path / "workload", "snrm"), tmp_path / "deep" / "index"
    build = measure_build(DENSE, given, "vectors", folder, threads=2)
    assert build.source == "vectors"
    assert build.disk == (folder / "matrix.npy").stat().st_size
    assert build.cost.wall > 0
    searched = measure_search(DENSE, given, folder, Asking(ks=(1, 10), threads=(1, 2), checked=5, seconds=0.01))
    assert [(answer.queries, answer.k) for answer in searched.serving.answers] == [("encoded", 1), ("encoded", 10)]
    for answer in searched.serving.answers:
        assert 0 < answer.latency.wall.p50 <= answer.latency.wall.p95 <= answer.latency.wall.p99
        assert 0 < answer.latency.cpu.mean < 1_000, "milliseconds"
        assert [throughput.threads for throughput in answer.throughputs] == [1, 2]
        assert all(throughput.per_second > 0 < throughput.per_cpu_second for throughput in answer.throughputs)
    found = searched.found["encoded"]
    assert {k: [len(rows) for rows in every] for k, every in found.items()} == {1: [1] * 5, 10: [10] * 5}
    assert mean_recalls(given, DOT, "encoded", found) == {1: 1.0, 10: 1.0}
    assert 0 < searched.serving.first_result < searched.serving.cost.wall
    assert np.concatenate(found[10]).max() < ROWS
