from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from reml.benchmarks.speed.engine import AbsentError, Engine, load_engine
from reml.benchmarks.speed.recall import mean_recalls
from reml.benchmarks.speed.scoring import exact_scores
from reml.benchmarks.speed.workloads.corpus import SyntheticCorpus
from reml.benchmarks.speed.workloads.vectors import SyntheticVectors, VectorLaw
from reml.benchmarks.speed.workloads.workload import Model, Workload, write_texts, write_vectors

ROWS, QUERIES = 300, 12
LAW = VectorLaw(width=60, shift=5.0, item_draws=12, query_draws=(3, 7), scale=0.5)


def workload(folder: Path, model: Model) -> Workload:
    """A small workload whose terms stand in many items, so that there are ties and long lists."""
    if model == "bm25":
        return write_texts(folder, "test", SyntheticCorpus(ROWS, terms=400, length=20), queries=QUERIES)
    return write_vectors(folder, "test", SyntheticVectors(ROWS, LAW), model=model, queries=QUERIES)


class EngineContract:
    """What every engine must do: find the best items of its own variant, from any source, one by one and in a batch.

    least: the recall of an engine that is approximate. threads: numbers of threads that are tried.
    """

    name: str
    least: float = 1.0
    threads: tuple[int, ...] = (1, 2)

    @pytest.fixture
    def engine(self) -> Engine:
        try:
            return load_engine(self.name)
        except AbsentError as error:
            pytest.skip(str(error))

    @pytest.mark.parametrize("model", ["bm25", "splade"])
    def test_finds_the_best_items_of_its_own_variant(self, engine: Engine, model: Model, tmp_path: Path) -> None:
        if model not in engine.sources:
            pytest.skip(f"{self.name} does not serve {model}")
        given, folder = workload(tmp_path / "workload", model), tmp_path / "index"
        folder.mkdir()
        engine.build(given, engine.sources[model][0], folder, 1)
        searcher = engine.open(given, folder)
        for name in given.query_sets:
            queries = given.queries(name)
            batch = searcher.prepare(queries)
            for k, threads in itertools.product((1, 10, ROWS + 5), self.threads):
                found = searcher.rows(searcher.search(batch, k, threads))
                assert [len(rows) <= k for rows in found] == [True] * QUERIES
                assert mean_recalls(given, engine.scoring[model], name, {k: found})[k] >= self.least
            alone = [searcher.prepare(queries.slice(place, place + 1)) for place in range(QUERIES)]
            single = [searcher.rows(searcher.search(query, 10, 1))[0] for query in alone]
            scores = list(exact_scores(given, engine.scoring[model], queries))
            for rows, exact in zip(single, scores, strict=True):
                assert len(set(rows.tolist())) == len(rows)
                assert (np.diff(exact[rows]) <= 1e-5).all(), "best first"
                assert exact[rows[0]] >= self.least * exact.max() * (1 - 1e-5)

    def test_builds_from_every_source(self, engine: Engine, tmp_path: Path) -> None:
        for model, sources in engine.sources.items():
            if model == "snrm":  # as splade
                continue
            given = workload(tmp_path / model, model)
            for source in sources[1:]:
                folder = tmp_path / f"{model}-{source}"
                folder.mkdir()
                engine.build(given, source, folder, 1)
                assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) > ROWS
