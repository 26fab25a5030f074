"""The term counts of a collection's items on disk, from which every statistic and every weight of BM25 is computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from reml.collection.snapshot import are_in
from reml.contract.examples import Item
from reml.contract.vectors import Int32Array, Int64Array
from reml.files.atomic import atomic_folder
from reml.files.integrity.checked import reading
from reml.retrievers.bm25.fields import WeightedCounts, field_texts
from reml.text.analysis import TermCounts, Vocabulary

Part = TypeVar("Part")

# Items analysed at a time.
BATCH = 8192


@dataclass(frozen=True, eq=False, slots=True)
class Statistics:
    """What BM25 asks of a collection.

    frequencies: int64 [V], the number of items that have each term. items: their number. length: the sum of theirs.
    texts: the same of the items' texts alone, where titles are counted apart.
    """

    frequencies: Int64Array
    items: int
    length: float
    texts: Statistics | None = None

    @property
    def average(self) -> float:
        """The average length of an item, never 0."""
        return max(self.length, 1) / max(self.items, 1)

    def at(self, title_weight: float) -> Statistics:
        """Give those of items whose titles count so often; the same where titles are not counted apart."""
        if self.texts is None:
            return self
        frequencies = self.frequencies if title_weight else self.texts.frequencies
        length = self.texts.length + title_weight * (self.length - self.texts.length)
        return Statistics(frequencies, self.items, length)


@dataclass(frozen=True, eq=False, slots=True)
class KeptCounts:
    """Rows and their term counts in files that never change, without the rows deleted since (ascending).

    fields: whether each row is there twice, with the counts of its title and with those of its text.
    """

    files: Sequence[Path]
    deleted: Int64Array
    fields: bool = False

    def __iter__(self) -> Iterator[tuple[Int64Array, TermCounts]]:
        for path in self.files:
            rows, counts = _read(path)
            gone = are_in(self.deleted, rows)
            yield (rows[~gone], _without(counts, gone)) if gone.any() else (rows, counts)

    def weighted(self, title_weight: float) -> Iterator[tuple[Int64Array, TermCounts | WeightedCounts]]:
        """Give each row once; its title counts so often, where it is counted apart."""
        for rows, counts in self:
            yield (rows[::2], WeightedCounts.of(counts, title_weight)) if self.fields else (rows, counts)

    def statistics(self, width: int) -> Statistics:
        """Count anew; `width` is the number of terms V."""
        whole = self._statistics(width, title_weight=1.0)
        return replace(whole, texts=self._statistics(width, title_weight=0.0)) if self.fields else whole

    def _statistics(self, width: int, *, title_weight: float) -> Statistics:
        frequencies, items, length = np.zeros(width, dtype=np.int64), 0, 0
        for rows, counts in self.weighted(title_weight):
            frequencies += np.bincount(counts.numbers, minlength=width)
            items, length = items + len(rows), length + int(counts.lengths.sum())
        return Statistics(frequencies, items, length)


def keep_counts(
    folder: Path, batches: Iterable[Sequence[Item]], vocabulary: Vocabulary, *, title: bool, fields: bool
) -> Int64Array:
    """Count the terms of items into a new folder, which is whole or not there; the vocabulary learns new terms.

    Give the rows of the items that have none, so that no query finds them.
    """
    wordless = [np.empty(0, dtype=np.int64)]
    with atomic_folder(folder) as draft:
        # Batches are read, numbered and counted side by side: two of the three are compiled.
        numbered = (
            (_rows(items, fields=fields), vocabulary.number(_texts(items, title=title, fields=fields)))
            for items in _ahead(batches)
        )
        for number, (rows, terms) in enumerate(_ahead(numbered)):
            counts = TermCounts.of(*terms)
            _write(draft / f"{number:08d}.npz", rows, counts)
            wordless.append(np.setdiff1d(rows, rows[counts.lengths > 0]))
    return np.concatenate(wordless)


def compact_counts(folder: Path, kept: KeptCounts) -> None:
    """Write counts into a new folder, which is whole or not there, without deleted rows, at least BATCH rows a file."""
    with atomic_folder(folder) as draft:
        for number, (rows, counts) in enumerate(_gathered(kept)):
            _write(draft / f"{number:08d}.npz", rows, counts)


def shown_texts(items: Iterable[Item], *, title: bool) -> Iterator[str]:
    """Give what is searched of items."""
    return (item.full_text(title=title) for item in items)


def _rows(items: Sequence[Item], *, fields: bool) -> Int64Array:
    rows = np.array([item.row for item in items], dtype=np.int64)
    return np.repeat(rows, 2) if fields else rows


def _texts(items: Sequence[Item], *, title: bool, fields: bool) -> Iterable[str]:
    return field_texts(items) if fields else shown_texts(items, title=title)


def _ahead(parts: Iterable[Part]) -> Iterator[Part]:
    """Make the next part in another thread while one is used."""
    waiting = iter(parts)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, waiting, None)
        while (part := coming.result()) is not None:
            coming = maker.submit(next, waiting, None)
            yield part


def _gathered(parts: Iterable[tuple[Int64Array, TermCounts]]) -> Iterator[tuple[Int64Array, TermCounts]]:
    """Join parts until they have a batch of rows; the last may have fewer."""
    waiting: list[tuple[Int64Array, TermCounts]] = []
    for part in parts:
        if len(part[0]):
            waiting.append(part)
        if sum(len(np.unique(rows)) for rows, _ in waiting) >= BATCH:
            yield _joined(waiting)
            waiting = []
    if waiting:
        yield _joined(waiting)


def _joined(parts: Sequence[tuple[Int64Array, TermCounts]]) -> tuple[Int64Array, TermCounts]:
    sizes = np.concatenate([np.diff(counts.indptr) for _, counts in parts])
    joined = TermCounts(
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]),
        np.concatenate([counts.numbers for _, counts in parts]),
        np.concatenate([counts.counts for _, counts in parts]),
        np.concatenate([counts.lengths for _, counts in parts]),
    )
    return np.concatenate([rows for rows, _ in parts]), joined


def _write(path: Path, rows: Int64Array, counts: TermCounts) -> None:
    np.savez(
        path,
        rows=rows,
        indptr=counts.indptr,
        numbers=counts.numbers,
        counts=counts.counts.astype(np.min_scalar_type(counts.counts.max(initial=0))),
        lengths=counts.lengths,
    )


def _read(path: Path) -> tuple[Int64Array, TermCounts]:
    # The archive keeps a checksum of every array and compares it while it reads.
    with reading(path, f"Delete {path.parents[1]} to rebuild it."), np.load(path, allow_pickle=False) as file:
        counts: Int32Array = file["counts"].astype(np.int32)
        return file["rows"], TermCounts(file["indptr"], file["numbers"], counts, file["lengths"])


def _without(counts: TermCounts, gone: npt.NDArray[np.bool_]) -> TermCounts:
    sizes = np.diff(counts.indptr)
    kept = np.repeat(~gone, sizes)
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes[~gone])])
    return TermCounts(indptr, counts.numbers[kept], counts.counts[kept], counts.lengths[~gone])
