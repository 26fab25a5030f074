"""`reml benchmark ingest`: a knowledge source as large as wanted, brought into a collection."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from rich.console import Console

from reml.benchmarks.ingest.building import Built, measure_build
from reml.benchmarks.ingest.interruption import Interruption, interrupt
from reml.benchmarks.ingest.page import write_page
from reml.benchmarks.ingest.result import Result, growths
from reml.benchmarks.ingest.source import SyntheticSource, copy_pages
from reml.benchmarks.ingest.tables import built, grown, interrupted, rates
from reml.benchmarks.speed.isolation import run_isolated
from reml.benchmarks.speed.result import machine, versions
from reml.collection.versions import SEGMENT_ROWS
from reml.devices.progress import busy
from reml.files.atomic import write_json
from reml.reporting.terminal import print_table, say

# Growth is seen over these parts of the pages.
PARTS = (10, 3, 1)


@dataclass(frozen=True, kw_only=True)
class Ingest:
    """Bring pages like KILT's into a collection: rate, memory, growth, a kill survived.

    Args:
        pages: how many the largest source has; a tenth and a third of them are built too.
        segment_rows: the most passages of a segment, which bounds memory.
        seed: for the pages and for the moment of the kill.
        patience: seconds after which a build is given up.
        folder: where sources and collections are meanwhile, about 20 kB a page; a temporary folder if left out.
        json: a file for all figures.
        page: a file for a page with plots.
    """

    pages: int = 300_000
    segment_rows: int = SEGMENT_ROWS
    seed: int = 0
    patience: float = 7200.0
    folder: Path | None = None
    json: Path | None = None
    page: Path | None = None

    def run(self) -> None:
        """Measure, print tables, write the figures and the page where asked for; `RuntimeError` if files differ."""
        console = Console()
        result = self.measure(console)
        for grid in (built(result.builds), rates(result.builds), grown(result.growths)):
            print_table(console, grid)
        say(console, interrupted(result.interruption))
        if self.json is not None:
            write_json(self.json, result.to_json())
        if self.page is not None:
            write_page(self.page, result)
        if result.interruption.differing:
            raise RuntimeError("going on after a kill gave other files than an undisturbed build.")

    def measure(self, console: Console) -> Result:
        """Write the source, build from it in parts and whole, and once with a kill; `ValueError` for wrong settings."""
        if min(self.pages, self.segment_rows) < 1:
            raise ValueError(f"pages and segment_rows are 1 or more, not {self.pages} and {self.segment_rows}.")
        load = os.getloadavg()[0]
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="reml-ingest-", dir=self.folder) as base, busy(console) as now:
            now(f"{self.pages:,} pages are written")
            whole = _file_in(Path(base) / "pages", self.pages)
            SyntheticSource(self.pages, self.seed).write(whole)
            builds = []
            for pages in sorted({max(1, self.pages // part) for part in PARTS}):
                now(f"a collection is built of {pages:,} pages")
                builds.append(self._build(whole, pages, Path(base)))
            now("a build is killed, gone on with and compared")
            found = self._interrupt(whole, builds[-1], Path(base))
        settings = {name: str(value) for name, value in asdict(self).items()}
        return Result(machine(), versions(), settings, load, builds, growths(builds), found)

    def _build(self, whole: Path, pages: int, base: Path) -> Built:
        source = _file_in(base / "pages", pages)
        if source != whole:
            copy_pages(whole, source, pages=pages)
        folder = base / f"collection-{pages}"
        return run_isolated(partial(self._work(source), folder), seconds=self.patience, log=folder.with_suffix(".log"))

    def _interrupt(self, whole: Path, built: Built, base: Path) -> Interruption:
        undisturbed, killed = base / f"collection-{self.pages}", base / "killed"
        return interrupt(
            self._work(whole), killed, whole=undisturbed, built=built, seed=self.seed, patience=self.patience
        )

    def _work(self, source: Path) -> Callable[[Path], Built]:
        return partial(measure_build, source, home=source.parent, segment_rows=self.segment_rows)


def _file_in(folder: Path, pages: int) -> Path:
    """Name the file of so many pages, in a folder of its own."""
    path = folder / str(pages) / "pages.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
