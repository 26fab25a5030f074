"""How time and memory grow with the number of items, and where that leads.

Two laws go through what was measured. A power law tells the exponent; where small sizes are ruled by costs that do not
grow, its exponent is too small and so is what it promises. A straight line with a fixed cost errs the other way where
growth is slower than the number of items. The truth for sizes not measured is to be expected between the two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from reml.benchmarks.speed.figures import Comparison, Measured

# KILT's 5.9 million pages, cut into passages of 100 words.
FULL = 22_000_000


@dataclass(frozen=True, slots=True)
class PowerLaw:
    """y = factor * rows ** exponent; `misfit` is the largest ratio between a measured value and the law, 1 or more."""

    factor: float
    exponent: float
    misfit: float

    def __call__(self, rows: float) -> float:
        """Give the law's value."""
        return float(self.factor * rows**self.exponent)


@dataclass(frozen=True, slots=True)
class Growth:
    """How a quantity of an engine grows under a model: what was measured, and the values of both laws at `FULL`."""

    model: str
    engine: str
    quantity: str
    unit: str
    rows: tuple[int, ...]
    values: tuple[float, ...]
    law: PowerLaw
    at_full: float
    line_at_full: float


def fit(rows: Sequence[float], values: Sequence[float]) -> PowerLaw:
    """Fit a power law by least squares of logarithms; `ValueError` unless values are positive at two sizes or more."""
    if len(set(rows)) < 2 or min(values) <= 0:
        raise ValueError(
            f"a power law needs positive values at two sizes at least, not {list(values)} at {list(rows)}."
        )
    exponent, constant = np.polyfit(np.log(rows), np.log(values), 1)
    law = PowerLaw(float(np.exp(constant)), float(exponent), 1.0)
    ratios = [value / law(size) for size, value in zip(rows, values, strict=True)]
    return PowerLaw(law.factor, law.exponent, max(max(ratio, 1 / ratio) for ratio in ratios))


def straight_line(rows: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Fit (fixed cost, cost of an item), both 0 or more, by least squares of relative errors; values are positive."""
    scaled = np.array([[1 / value, size / value] for size, value in zip(rows, values, strict=True)])
    units = scaled.max(0)  # so that both columns are of one size
    found, _ = nnls(scaled / units, np.ones(len(scaled)))
    fixed, slope = found / units
    return float(fixed), float(slope)


def growths(comparisons: Sequence[Comparison]) -> list[Growth]:
    """Fit each quantity of each engine over the sizes of the synthetic corpora, where there are two sizes at least."""
    series: dict[tuple[str, str, str, str], dict[int, float]] = {}
    for comparison in comparisons:
        for measured in comparison.engines:
            for quantity, unit, value in quantities(measured):
                key = (comparison.model, measured.engine, quantity, unit)
                if comparison.corpus == "synthetic" and value > 0:
                    series.setdefault(key, {})[comparison.rows] = value
    return [_growth(*key, points) for key, points in series.items() if len(points) > 1]


def quantities(measured: Measured) -> Iterator[tuple[str, str, float]]:
    """Yield (name, unit, value) of what grows. Memory is what the work adds to the process's own."""
    for build in measured.builds:
        yield f"build from {build.source}", "CPU s", build.cost.cpu
        yield f"memory to build from {build.source}", "MB", (build.cost.peak - build.cost.base) / 1e6
    yield "disk", "MB", measured.builds[0].disk / 1e6
    yield "memory to search", "MB", (measured.serving.cost.peak - measured.serving.cost.base) / 1e6
    for answer in measured.serving.answers:
        yield f"{answer.queries}, k = {answer.k}: p50", "CPU ms", answer.latency.cpu.p50
        yield f"{answer.queries}, k = {answer.k}: p99", "CPU ms", answer.latency.cpu.p99


def _growth(model: str, engine: str, quantity: str, unit: str, points: dict[int, float]) -> Growth:
    rows, values = tuple(points), tuple(points.values())
    law = fit(rows, values)
    fixed, slope = straight_line(rows, values)
    return Growth(model, engine, quantity, unit, rows, values, law, law(FULL), fixed + slope * FULL)
