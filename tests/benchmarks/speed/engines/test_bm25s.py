from __future__ import annotations

from tests.benchmarks.speed.engines.contract import EngineContract


class TestBM25S(EngineContract):
    name = "bm25s"
    threads = (1,)  # numba compiles its loop over threads in every process, for seconds
