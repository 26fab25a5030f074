"""One engine on one workload, measured in this process: building it, and searching what was built."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from reml.benchmarks.speed.costs import Meter, drop_from_cache, size_of, timed
from reml.benchmarks.speed.engine import Batch, Found, Searcher, Source, load_engine
from reml.benchmarks.speed.figures import Answering, Build, Latency, Serving, Spread, Throughput
from reml.benchmarks.speed.workloads.workload import Workload
from reml.contract.vectors import Int64Array, SparseVectors

WARM_UP = 20


@dataclass(frozen=True, slots=True)
class Asking:
    """How an index is searched: values of k, numbers of threads, and how many answers of each set are checked.

    seconds: a batch is answered again and again for so long, of CPU time, so that a busy machine does not cut it short.
    """

    ks: tuple[int, ...]
    threads: tuple[int, ...]
    checked: int
    seconds: float = 0.5


@dataclass(frozen=True, slots=True)
class Searched:
    """Figures, and the rows found for the first queries of each set: `found[set][k][query]`."""

    serving: Serving
    found: dict[str, dict[int, list[Int64Array]]]


def measure_build(name: str, workload: Workload, source: Source, folder: Path, threads: int) -> Build:
    """Build an index in a new folder."""
    engine = load_engine(name)
    folder.mkdir(parents=True)
    meter = Meter()
    engine.build(workload, source, folder, threads)
    return Build(source, meter.read(), size_of(folder))


def measure_search(name: str, workload: Workload, folder: Path, asking: Asking) -> Searched:
    """Open an index cold, then answer all sets of queries at every k."""
    engine = load_engine(name)
    drop_from_cache(folder)
    first = workload.queries(workload.query_sets[0]).slice(0, 1)
    meter = Meter()
    searcher = engine.open(workload, folder)
    searcher.rows(searcher.search(searcher.prepare(first), asking.ks[0], 1))
    first_result = meter.read().wall
    answers: list[Answering] = []
    found: dict[str, dict[int, list[Int64Array]]] = {}
    for queries in workload.query_sets:
        some, rows = _answer(searcher, workload.queries(queries), queries, asking)
        answers += some
        found[queries] = rows
    return Searched(Serving(first_result, meter.read(), tuple(answers)), found)


def _answer(
    searcher: Searcher[Batch, Found], queries: SparseVectors, name: str, asking: Asking
) -> tuple[list[Answering], dict[int, list[Int64Array]]]:
    """Answer a set of queries at every k; give the figures and the first rows that were found."""
    singles = [searcher.prepare(queries.slice(place, place + 1)) for place in range(len(queries))]
    batch = searcher.prepare(queries)
    answers, found = [], {}
    for k in asking.ks:
        latency = _latency(searcher, singles, k)
        throughputs = tuple(
            _throughput(partial(searcher.search, batch, k, threads), threads, len(queries), asking.seconds)
            for threads in asking.threads
        )
        answers.append(Answering(name, k, latency, throughputs))
        found[k] = [searcher.rows(searcher.search(single, k, 1))[0] for single in singles[: asking.checked]]
    return answers, found


def _latency(searcher: Searcher[Batch, Found], singles: Sequence[Batch], k: int) -> Latency:
    for single in singles[:WARM_UP]:
        searcher.search(single, k, 1)
    times = np.array([timed(partial(searcher.search, single, k, 1)) for single in singles])
    return Latency(_spread(times[:, 0]), _spread(times[:, 1]))


def _throughput(search: Callable[[], object], threads: int, size: int, seconds: float) -> Throughput:
    """Answer a batch of `size` queries again and again, once unmeasured."""
    search()
    times = [timed(search)]
    while sum(cpu for _, cpu in times) < seconds:
        times.append(timed(search))
    wall, cpu = (sum(part) for part in zip(*times, strict=True))
    answered = len(times) * size
    return Throughput(threads, answered / wall, answered / max(cpu, 1e-9))


def _spread(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spread:
    p50, p95, p99 = np.percentile(1e3 * seconds, (50, 95, 99))
    return Spread(float(p50), float(p95), float(p99), float(1e3 * seconds.mean()))
