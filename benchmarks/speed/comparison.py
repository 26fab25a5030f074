"""All engines on one workload: built one after the other, searched in turns, each in processes of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from reml.benchmarks.speed.engine import Engine
from reml.benchmarks.speed.figures import Build, Comparison, Measured, Recall, Serving, Skipped, median_of
from reml.benchmarks.speed.isolation import FailedError, run_isolated
from reml.benchmarks.speed.measuring import Asking, Searched, measure_build, measure_search
from reml.benchmarks.speed.recall import mean_recalls
from reml.benchmarks.speed.workloads.workload import Workload

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a comparison is run.

    rounds: searches of each engine. builds: builds from each source. patience: seconds after which one of them is
    stopped. say: told what is being done.
    """

    asking: Asking
    rounds: int
    builds: int
    patience: float
    say: Callable[[str], None]


def compare(workload: Workload, engines: Mapping[str, Engine], folder: Path, conduct: Conduct) -> Comparison:
    """Measure the engines that serve the workload's model; `folder` holds their indexes meanwhile."""
    entrants = {name: _Entrant(name, engine, workload, folder / name, conduct) for name, engine in engines.items()}
    entrants = {name: entrant for name, entrant in entrants.items() if workload.model in entrant.engine.sources}
    for number in range(conduct.builds):
        for entrant in _turn(list(entrants.values()), number):
            entrant.attempt(entrant.build)
    for number in range(conduct.rounds):
        for entrant in _turn(list(entrants.values()), number):
            entrant.attempt(entrant.search)
    shutil.rmtree(folder, ignore_errors=True)
    measured = tuple(entrant.measured() for entrant in entrants.values() if not entrant.failure)
    skipped = tuple(Skipped(name, entrant.failure) for name, entrant in entrants.items() if entrant.failure)
    means = touched(workload)
    return Comparison(workload.corpus, workload.model, workload.rows, workload.nonzeros, means, measured, skipped)


def touched(workload: Workload) -> dict[str, float]:
    """Count the postings of the terms of queries, on average over each set."""
    frequencies = np.zeros(workload.width, dtype=np.int64)
    for _, vectors in workload.batches():
        frequencies += np.bincount(vectors.dimensions, minlength=workload.width)
    sets = {name: workload.queries(name) for name in workload.query_sets}
    return {name: float(frequencies[asked.dimensions].sum() / len(asked)) for name, asked in sets.items()}


class _Entrant:
    """An engine in a comparison; one that fails is left alone from then on, with the reason kept."""

    def __init__(self, name: str, engine: Engine, workload: Workload, folder: Path, conduct: Conduct) -> None:
        self.name = name
        self.engine = engine
        self.failure = ""
        self._workload = workload
        self._folder = folder
        self._conduct = conduct
        self._sources = engine.sources.get(workload.model, ())
        self._builds: list[Build] = []
        self._servings: list[Serving] = []
        self._recalls: tuple[Recall, ...] = ()

    def attempt(self, work: Callable[[], None]) -> None:
        if not self.failure:
            try:
                work()
            except FailedError as error:
                self.failure = str(error)

    def build(self) -> None:
        """Build from each source; the index from the first one stays."""
        for source in self._sources:
            place = self._place(source)
            shutil.rmtree(place, ignore_errors=True)
            threads = max(self._conduct.asking.threads)
            work = partial(measure_build, self.name, self._workload, source, folder=place, threads=threads)
            self._builds.append(self._isolated(work, f"is built from {source}"))
            if source != self._sources[0]:
                shutil.rmtree(place)

    def search(self) -> None:
        """Search in a fresh process; what the first round finds is checked."""
        place = self._place(self._sources[0])
        work = partial(measure_search, self.name, self._workload, folder=place, asking=self._conduct.asking)
        searched = self._isolated(work, "is searched")
        self._servings.append(searched.serving)
        self._recalls = self._recalls or self._check(searched)

    def measured(self) -> Measured:
        """Give the medians."""
        sources = ([build for build in self._builds if build.source == source] for source in self._sources)
        builds = tuple(median_of(builds) for builds in sources)
        scoring = self.engine.scoring[self._workload.model].name
        return Measured(self.name, scoring, builds, median_of(self._servings), self._recalls)

    def _isolated(self, work: Callable[[], Result], what: str) -> Result:
        self._conduct.say(f"{self._workload.model}, {self._workload.rows:,} items: {self.name} {what}")
        self._folder.mkdir(parents=True, exist_ok=True)
        return run_isolated(work, seconds=self._conduct.patience, log=self._folder / "log.txt")

    def _check(self, searched: Searched) -> tuple[Recall, ...]:
        scoring = self.engine.scoring[self._workload.model]
        return tuple(
            Recall(queries, k, value)
            for queries, found in searched.found.items()
            for k, value in mean_recalls(self._workload, scoring, queries, found).items()
        )

    def _place(self, source: str) -> Path:
        return self._folder / source.replace(" ", "-")


def _turn(entrants: list[_Entrant], number: int) -> list[_Entrant]:
    """Begin with another engine in each round, so that none always runs at the same moment."""
    first = number % max(1, len(entrants))
    return entrants[first:] + entrants[:first]
