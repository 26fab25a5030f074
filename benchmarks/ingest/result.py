"""The result of a run: what was built, where its growth leads, and the build that was killed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from reml.benchmarks.ingest.building import Built
from reml.benchmarks.ingest.interruption import Interruption
from reml.benchmarks.speed.growth import PowerLaw, fit, straight_line
from reml.contract.examples import Json
from reml.kilt.catalogue import PAGES

KIND = "reml ingest benchmark"


@dataclass(frozen=True, slots=True)
class Growth:
    """How a quantity grows with the number of pages, and the values of a power law and of a straight line at KILT's."""

    quantity: str
    unit: str
    pages: tuple[int, ...]
    values: tuple[float, ...]
    law: PowerLaw
    at_kilt: float
    line_at_kilt: float


@dataclass(frozen=True, slots=True)
class Result:
    """All that a run has found out. load: how many processes wanted a core on average in the minute before it."""

    machine: Mapping[str, str]
    versions: Mapping[str, str]
    settings: Mapping[str, str]
    load: float
    builds: Sequence[Built]
    growths: Sequence[Growth]
    interruption: Interruption

    def to_json(self) -> Json:
        """Lay the result out as JSON."""
        return {"kind": KIND, "kilt_pages": PAGES, **cast(dict[str, Json], asdict(self))}


def growths(builds: Sequence[Built]) -> list[Growth]:
    """Fit each quantity over the builds that have it, where there are two sizes at least."""
    series: dict[tuple[str, str], dict[int, float]] = {}
    for built in builds:
        for quantity, unit, value in quantities(built):
            series.setdefault((quantity, unit), {})[built.pages] = value
    return [_growth(named, points) for named, points in series.items() if len(points) > 1]


def quantities(built: Built) -> Iterator[tuple[str, str, float]]:
    """Yield (name, unit, value) of what grows. Memory only grows freely up to one whole segment: it is told after."""
    yield "wall time", "s", built.cost.wall
    yield "CPU time", "s", built.cost.cpu
    if built.segments > 1:
        yield "peak memory", "MB", built.cost.peak / 1e6
    yield "disk", "MB", built.disk / 1e6
    yield "passages", "million", built.passages / 1e6


def _growth(named: tuple[str, str], points: Mapping[int, float]) -> Growth:
    pages, values = tuple(points), tuple(points.values())
    law = fit(pages, values)
    fixed, slope = straight_line(pages, values)
    return Growth(*named, pages, values, law, law(PAGES), fixed + slope * PAGES)
