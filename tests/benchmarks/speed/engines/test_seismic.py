from __future__ import annotations

from tests.benchmarks.speed.engines.contract import EngineContract


class TestSeismic(EngineContract):
    name = "seismic"
    least = 0.9
