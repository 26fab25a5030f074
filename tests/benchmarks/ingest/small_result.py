"""A small result with made-up figures that a reader can compute with."""

from __future__ import annotations

from reml.benchmarks.ingest.building import Built
from reml.benchmarks.ingest.interruption import Interruption, Moment
from reml.benchmarks.ingest.result import Result, growths
from reml.benchmarks.speed.figures import Cost

MB = 1_000_000


def built(pages: int) -> Built:
    """Of 10 kB and 5 passages a page, of which 4 kB are kept, and 5,000 pages a segment.

    1,000 pages take 1 s of wall time and half of it of CPU time; memory is 500 MB.
    """
    cost = Cost(pages / 1_000, pages / 2_000, peak=500 * MB, base=100 * MB)
    return Built(pages, 5 * pages, max(1, pages // 5_000), 10_000 * pages, 4_000 * pages, cost)


def interruption(*differing: str) -> Interruption:
    """A build of 100,000 pages killed when 3 segments were on record."""
    return Interruption(Moment(3, 0.25), 30_000, built(100_000), 7, differing)


def result(*differing: str) -> Result:
    """Builds of 10,000 and 100,000 pages."""
    builds = [built(10_000), built(100_000)]
    told = {"cores": "2"}, {"reml": "1"}, {"pages": "100000"}
    return Result(*told, load=0.25, builds=builds, growths=growths(builds), interruption=interruption(*differing))
