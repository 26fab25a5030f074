"""Seismic: approximate search over learned sparse vectors, in Rust. https://github.com/TusKANNy/seismic.

Bruch, Nardini, Rulli and Venturini, "Efficient Inverted Indexes for Approximate Retrieval over Learned Sparse
Representations" (SIGIR 2024). It is not exact: its figures mean something beside its recall only.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import seismic

from reml.benchmarks.speed.engine import Source
from reml.benchmarks.speed.scoring import DOT, Scoring
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.vectors import Float32Array, Int64Array, SparseVectors

# The settings of its own examples, with a query cut and a heap factor that lose little.
POSTINGS, QUERY_CUT, HEAP_FACTOR = 3_500, 20, 0.7
FILE = "items.index.seismic"
Asked = tuple[npt.NDArray[np.str_], list[npt.NDArray[np.str_]], list[Float32Array]]
Answers = list[list[tuple[str, float, str]]]


class Seismic:
    """Seismic at the settings of its examples."""

    sources: Mapping[Model, tuple[Source, ...]] = {"splade": ("vectors",), "snrm": ("vectors",)}
    scoring: Mapping[Model, Scoring] = {"splade": DOT, "snrm": DOT}

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:  # noqa: ARG002 - it has one
        """Build the index in a folder."""
        items = seismic.SeismicDataset()
        for rows, vectors in workload.batches():
            names = [str(row) for row in rows.tolist()]
            items.add_documents_by_id(names, vectors.dimensions.astype(np.int64), vectors.weights, vectors.indptr)
        index = seismic.SeismicIndex.build_from_dataset(items, n_postings=POSTINGS, num_threads=threads)
        index.save(str(folder / FILE.removesuffix(".index.seismic")))

    def open(self, workload: Workload, folder: Path) -> SeismicSearcher:  # noqa: ARG002 - the file says all
        """Read the index into memory."""
        return SeismicSearcher(seismic.SeismicIndex.load(str(folder / FILE)))


class SeismicSearcher:
    """An index of Seismic in memory."""

    def __init__(self, index: seismic.SeismicIndex) -> None:
        self._index = index

    def prepare(self, queries: SparseVectors) -> Asked:
        """Name dimensions as Seismic does, and number the queries."""
        kind = seismic.get_seismic_string()
        names = queries.dimensions.astype(str).astype(kind)
        parts = [slice(start, end) for start, end in itertools.pairwise(queries.indptr)]
        numbers = np.array([str(number) for number in range(len(queries))], dtype=kind)
        return numbers, [names[part] for part in parts], [queries.weights[part] for part in parts]

    def search(self, batch: Asked, k: int, threads: int) -> Answers:
        """Find about the k best items of each query."""
        numbers, names, weights = batch
        if len(numbers) == 1:
            return [self._index.search(str(numbers[0]), names[0], weights[0], k, QUERY_CUT, HEAP_FACTOR)]
        answers: Answers = self._index.batch_search(
            numbers, names, weights, k, QUERY_CUT, HEAP_FACTOR, num_threads=threads
        )
        return answers

    def rows(self, found: Answers) -> list[Int64Array]:
        """Read the rows from the names of documents. A batch is answered in any order: each hit names its query."""
        rows = [np.empty(0, dtype=np.int64) for _ in found]
        for answer in filter(None, found):
            rows[int(answer[0][0])] = np.array([int(name) for _, _, name in answer], dtype=np.int64)
        return rows
