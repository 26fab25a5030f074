from __future__ import annotations

from tests.benchmarks.speed.engines.contract import EngineContract


class TestSciPy(EngineContract):
    name = "scipy"
