"""PISA: dynamic pruning over compressed inverted lists, in C++. https://github.com/pisa-engine/pisa.

Its binding pyterrier-pisa is PyTerrier's, which brings Java's bridge along. Only its compiled module is loaded here,
from its file: what is measured is PISA and not PyTerrier's data frames.

Of PISA's algorithms and encodings over exact BM25, MaxScore with SIMD-BP128 answers natural queries soonest; on short
ones block-max MaxScore takes three quarters of its time. What MaxScore takes depends on which words make up the
postings of a query: with two very common words it answers in 0.4 of the time of as many postings spread over 14 words.
"""

from __future__ import annotations

import importlib.util
import itertools
import os
import threading
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from reml.benchmarks.speed.engine import AbsentError, Source
from reml.benchmarks.speed.scoring import K1, PISA, B, Scoring
from reml.benchmarks.speed.workloads.words import words
from reml.benchmarks.speed.workloads.workload import Model, Workload
from reml.contract.vectors import Int64Array, SparseVectors

INSTALL = "pip install --no-deps -r requirements/benchmark.txt"
ENCODING, ALGORITHM = "block_simdbp", "maxscore"
BATCH = 100_000
# What indexing leaves and search does not read.
INTERMEDIATE = ("fwd", "fwd.documents", "fwd.terms", "inv.docs", "inv.freqs", "inv.sizes")
Asked = list[tuple[int, dict[str, float]]]
Found = tuple[npt.NDArray[np.int32], npt.NDArray[np.object_], int]


class Pisa:
    """PISA with MaxScore over BM25 computed in float, lists in SIMD-BP128."""

    sources: Mapping[Model, tuple[Source, ...]] = {"bm25": ("text",)}
    scoring: Mapping[Model, Scoring] = {"bm25": PISA}

    def __init__(self) -> None:
        if importlib.util.find_spec("pyterrier_pisa") is None:
            raise AbsentError(f"pyterrier-pisa is not installed: {INSTALL}")

    def build(self, workload: Workload, source: Source, folder: Path, threads: int) -> None:  # noqa: ARG002 - it has one
        """Build the index in a folder."""
        pipe = folder / "texts"
        os.mkfifo(pipe)
        feeding = threading.Thread(target=_feed, args=(workload, pipe), daemon=True)
        feeding.start()
        pisa = load()
        pisa.index(str(pipe), str(folder), "", BATCH, threads)
        feeding.join()
        _context(pisa, folder)
        pipe.unlink()
        for name in INTERMEDIATE:
            (folder / name).unlink()

    def open(self, workload: Workload, folder: Path) -> PisaSearcher:
        """Open the index."""
        pisa = load()
        return PisaSearcher(pisa, _context(pisa, folder), words(workload.width))


class PisaSearcher:
    """An open index of PISA, asked by terms."""

    def __init__(self, pisa: ModuleType, context: object, vocabulary: list[str]) -> None:
        self._pisa = pisa
        self._context = context
        self._vocabulary = vocabulary

    def prepare(self, queries: SparseVectors) -> Asked:
        """Give each query a number and its terms with their counts."""
        asked: Asked = []
        for number, (start, end) in enumerate(itertools.pairwise(queries.indptr)):
            terms = (self._vocabulary[term] for term in queries.dimensions[start:end].tolist())
            asked.append((number, dict(zip(terms, queries.weights[start:end].tolist(), strict=True))))
        return asked

    def search(self, batch: Asked, k: int, threads: int) -> Found:
        """Find the k best items of each query."""
        size = len(batch) * k
        numbers, names = np.empty(size, dtype=np.int32), np.empty(size, dtype=object)
        filled = self._pisa.retrieve(
            self._context,
            ALGORITHM,
            batch,
            k=k,
            threads=threads,
            pretokenised=1,
            query_weighted=0,
            result_qidxs=numbers,
            result_docnos=names,
            result_ranks=np.empty(size, dtype=np.int32),
            result_scores=np.empty(size, dtype=np.float32),
        )
        return numbers[:filled], names[:filled], len(batch)

    def rows(self, found: Found) -> list[Int64Array]:
        """Read the rows from the names of documents. Queries answered by two threads lie in any order."""
        numbers, names, asked = found
        rows = names.astype(np.int64)
        return [rows[numbers == number] for number in range(asked)]


def load() -> Any:  # a compiled module without types
    """Load PISA's compiled module; `AbsentError` says how to install what it lacks."""
    package = importlib.util.find_spec("pyterrier_pisa")
    folders = list(package.submodule_search_locations or []) if package else []
    spec = PathFinder.find_spec("_pisathon", folders)
    if spec is None or spec.loader is None:
        raise AbsentError(f"PISA's compiled module is not there: {INSTALL}")
    try:
        module = importlib.util.module_from_spec(spec)
    except ImportError as error:
        raise AbsentError(f"PISA's compiled module cannot be loaded ({error}): {INSTALL}") from error
    spec.loader.exec_module(module)
    return module


def _context(pisa: Any, folder: Path) -> object:
    """Open the index; bounds and compressed lists are made if they are not there yet."""
    context: object = pisa.RetrievalContext()
    pisa.prepare_index(context, str(folder), ENCODING, "bm25", "", bm25_k1=K1, bm25_b=B)
    return context


def _feed(workload: Workload, pipe: Path) -> None:
    """Write the texts, named by their rows, as PISA reads them: one a line, the name first."""
    with pipe.open("w", encoding="ascii") as stream:
        stream.writelines(f"{row} {text}\n" for row, text in enumerate(workload.texts()))
