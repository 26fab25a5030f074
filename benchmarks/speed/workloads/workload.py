"""What is indexed and asked, on disk, the same for all engines; each reads it in a process of its own.

Items and queries are sparse vectors; those of texts hold how often each term stands there, and lie there as text too.
Arrays are read by batches and never mapped, so that they do not count in the memory of the engine that reads them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from reml.benchmarks.speed.workloads.words import words
from reml.contract.vectors import Int32Array, Int64Array, SparseVectors
from reml.text.analysis import STOPPED
from reml.text.count_kernel import count_terms

Model = Literal["bm25", "splade", "snrm"]
BATCH = 20_000
TEXTS = "texts.txt"


class Texts(Protocol):
    """A source of texts as term numbers."""

    @property
    def width(self) -> int:
        """The number of terms."""

    def token_batches(self) -> Iterator[tuple[Int32Array, Int64Array]]:
        """Yield batches of texts: their tokens, one text behind the other, and the lengths of the texts."""

    def queries(self, count: int) -> Mapping[str, list[Int32Array]]:
        """Give sets of at most `count` queries by name; a query is ascending distinct terms."""


class Vectors(Protocol):
    """A source of sparse vectors."""

    def batches(self) -> Iterator[SparseVectors]:
        """Yield the vectors of items in batches."""

    def queries(self, count: int) -> Mapping[str, SparseVectors]:
        """Give sets of at most `count` queries by name."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A corpus under a model: `rows` items of `width` dimensions, numbered from 0, and sets of queries by name."""

    folder: Path
    corpus: str
    model: Model
    rows: int
    width: int
    nonzeros: int
    query_sets: tuple[str, ...]

    def batches(self) -> Iterator[tuple[Int64Array, SparseVectors]]:
        """Yield (rows, vectors) in batches, row 0 first."""
        indptr = np.load(self.folder / "indptr.npy", allow_pickle=False)
        for first in range(0, self.rows, BATCH):
            ends = indptr[first : first + BATCH + 1]
            start, count = int(ends[0]), int(ends[-1] - ends[0])
            dimensions = np.fromfile(self.folder / "dimensions.int32", np.int32, count, offset=4 * start)
            weights = np.fromfile(self.folder / "weights.float32", np.float32, count, offset=4 * start)
            rows = np.arange(first, first + len(ends) - 1)
            yield rows, SparseVectors(ends - ends[0], dimensions, weights, self.width)

    def texts(self) -> Iterator[str]:
        """Yield the text of each item, row 0 first. Only the model "bm25" has texts."""
        with self.text_file.open(encoding="ascii") as stream:
            for line in stream:
                yield line.rstrip("\n")

    @property
    def text_file(self) -> Path:
        """The file with the texts, one a line."""
        return self.folder / TEXTS

    def queries(self, name: str) -> SparseVectors:
        """Read a set of queries."""
        with np.load(self.folder / f"queries-{self.query_sets.index(name)}.npz", allow_pickle=False) as file:
            return SparseVectors(file["indptr"], file["dimensions"], file["weights"], self.width)


def write_texts(folder: Path, corpus: str, texts: Texts, *, queries: int) -> Workload:
    """Write texts as counted terms and as text; give the workload under BM25."""
    folder.mkdir(parents=True)
    sets = {name: _counted_once(asked, texts.width) for name, asked in texts.queries(queries).items()}
    rows, nonzeros = _write_items(folder, _counting(texts, folder / TEXTS))
    _write_queries(folder, sets)
    return Workload(folder, corpus, "bm25", rows, texts.width, nonzeros, tuple(sets))


def write_vectors(folder: Path, corpus: str, vectors: Vectors, *, model: Model, queries: int) -> Workload:
    """Write the vectors of a learned sparse model; give the workload."""
    folder.mkdir(parents=True)
    sets = vectors.queries(queries)
    rows, nonzeros = _write_items(folder, vectors.batches())
    _write_queries(folder, sets)
    width = next(iter(sets.values())).width
    return Workload(folder, corpus, model, rows, width, nonzeros, tuple(sets))


def _counting(texts: Texts, path: Path) -> Iterator[SparseVectors]:
    """Count the terms of each batch and write its texts on the way."""
    vocabulary = np.array(words(texts.width), dtype=object)
    with path.open("w", encoding="ascii") as stream:
        for tokens, lengths in texts.token_batches():
            ends = np.cumsum(lengths)
            spelled = vocabulary[tokens].tolist()
            stream.writelines(
                " ".join(spelled[end - length : end]) + "\n" for end, length in zip(ends, lengths, strict=True)
            )
            indptr, numbers, counts, _ = count_terms(tokens, lengths, STOPPED)
            yield SparseVectors(indptr, numbers, counts.astype(np.float32), texts.width)


def _counted_once(queries: list[Int32Array], width: int) -> SparseVectors:
    indptr = np.cumsum([0, *map(len, queries)], dtype=np.int64)
    dimensions = np.concatenate(queries)
    return SparseVectors(indptr, dimensions, np.ones(len(dimensions), dtype=np.float32), width)


def _write_items(folder: Path, batches: Iterable[SparseVectors]) -> tuple[int, int]:
    """Write items; give how many there are and how many non-zeros they have."""
    sizes = []
    with (folder / "dimensions.int32").open("wb") as dimensions, (folder / "weights.float32").open("wb") as weights:
        for batch in batches:
            batch.dimensions.astype(np.int32).tofile(dimensions)
            batch.weights.astype(np.float32).tofile(weights)
            sizes.append(np.diff(batch.indptr))
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(sizes), dtype=np.int64)])
    np.save(folder / "indptr.npy", indptr)
    return len(indptr) - 1, int(indptr[-1])


def _write_queries(folder: Path, sets: Mapping[str, SparseVectors]) -> None:
    for number, asked in enumerate(sets.values()):
        path = folder / f"queries-{number}.npz"
        np.savez(path, indptr=asked.indptr, dimensions=asked.dimensions, weights=asked.weights)
