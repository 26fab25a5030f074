"""One version of a collection, open for reading: nothing that is written later changes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from reml.collection.columns import COMPUTED, Column, zeros
from reml.collection.segments import Segment, SegmentRecord
from reml.collection.versions import SEGMENTS, Version
from reml.contract.examples import Item
from reml.contract.vectors import Int64Array
from reml.files.atomic import repair_of
from reml.files.integrity.sealed import check_files


class Snapshot:
    """The segments and deleted rows of one version, memory-mapped; what `former` has open is not opened again.

    written: whether this process has just written all else. `CorruptError` if a file is missing or not what was written
    (`Segment`).
    """

    def __init__(
        self, folder: Path, version: Version, former: Snapshot | None = None, *, written: bool = False
    ) -> None:
        self.folder = folder
        self.version = version
        known: dict[SegmentRecord, Segment] = {segment.record: segment for segment in former.segments} if former else {}
        self.segments: list[Segment] = [
            known.get(record) or Segment(folder / SEGMENTS, record, written=written) for record in version.segments
        ]
        self.deleted = deleted_rows(folder, version)
        self._firsts = np.array([record.first for record in version.segments], dtype=np.int64)

    def __len__(self) -> int:
        return self.version.next_row - len(self.deleted)

    def rows(self) -> Int64Array:
        """Give all rows that are not deleted, ascending."""
        return self._live(0, self.version.next_row)

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order, duplicates included; `KeyError` for a row that is not there."""
        rows = np.asarray(rows, dtype=np.int64)
        self.check_rows(rows)
        order = np.argsort(rows, kind="stable")
        bounds = np.searchsorted(rows[order], [*self._firsts, self.version.next_row])
        found: list[Item] = []
        for segment, low, high in zip(self.segments, bounds[:-1], bounds[1:], strict=True):
            if low < high:
                found += segment.items(rows[order[low:high]])
        return [found[place] for place in np.argsort(order, kind="stable").tolist()]

    def batches(self, size: int, start: int) -> Iterator[list[Item]]:
        """Yield the items from row `start` on, in row order, at most `size` at a time."""
        for segment in self.segments:
            first = max(start, segment.record.first)
            for low in range(first, segment.record.stop, size):
                high = min(low + size, segment.record.stop)
                live = self._live(low, high)
                if len(live):
                    yield segment.slice(low, high) if len(live) == high - low else segment.items(live)

    def rows_of_page(self, page_id: str) -> Int64Array:
        """Give the rows of a page that are not deleted, ascending."""
        rows = [segment.rows_of_page(page_id) for segment in self.segments]
        return self._not_deleted(np.concatenate(rows)) if rows else np.empty(0, dtype=np.int64)

    def rows_of_title(self, title: str) -> Int64Array:
        """Give the rows of the pages with this title that are not deleted, ascending."""
        rows = [segment.rows_of_title(title) for segment in self.segments]
        return self._not_deleted(np.concatenate(rows)) if rows else np.empty(0, dtype=np.int64)

    def values(self, column: str, rows: Int64Array) -> Column:
        """Give the numbers of a column for rows of any shape, 0 for row -1; `KeyError` for what is not there."""
        rows = np.asarray(rows, dtype=np.int64)
        flat = rows.ravel()
        found = zeros(flat.shape, self._sample(column))
        places = np.flatnonzero(flat != -1)
        self.check_rows(flat[places])
        places = places[np.argsort(flat[places], kind="stable")]
        bounds = np.searchsorted(flat[places], [*self._firsts, self.version.next_row])
        pages = 0
        for segment, low, high in zip(self.segments, bounds[:-1], bounds[1:], strict=True):
            if low < high:
                found[places[low:high]] = _of_segment(segment, column, flat[places[low:high]], pages)
            pages += segment.record.pages
        return found.reshape(*rows.shape, *found.shape[1:])

    @property
    def columns(self) -> dict[str, Column]:
        """The columns that were given with rows, each by the name and rows of one segment that has it."""
        return {name: column for segment in self.segments for name, column in segment.columns.items()}

    def check_rows(self, rows: Int64Array) -> None:
        """Raise `KeyError` if any of these rows never was or is deleted."""
        wrong = (rows < 0) | (rows >= self.version.next_row) | are_in(self.deleted, rows)
        if wrong.any():
            raise KeyError(
                f"{int(wrong.sum())} rows, {rows[wrong][:5].tolist()} first, are not in version {self.version.number} "
                f"of {self.folder}: it has {len(self):,} items in rows 0 to {self.version.next_row - 1}, "
                f"{len(self.deleted):,} deleted."
            )

    def _sample(self, column: str) -> Column:
        if column in COMPUTED:
            return np.empty(0, dtype=np.int64)
        given = self.columns
        if column not in given:
            raise KeyError(
                f"{self.folder} has no column {column!r}; it has {', '.join([*COMPUTED, *sorted(given)])}. Give values "
                "with the rows as they are appended."
            )
        return given[column]

    def _live(self, low: int, high: int) -> Int64Array:
        return self._not_deleted(np.arange(low, high, dtype=np.int64))

    def _not_deleted(self, rows: Int64Array) -> Int64Array:
        return rows[~are_in(self.deleted, rows)]


def _of_segment(segment: Segment, column: str, rows: Int64Array, pages_before: int) -> Column | int:
    if column == "page":
        return segment.page_numbers(rows) + pages_before
    if column == "words":
        return segment.words(rows)
    kept = segment.columns.get(column)
    return 0 if kept is None else np.asarray(kept[rows - segment.record.first])


def are_in(ascending: Int64Array, rows: Int64Array) -> npt.NDArray[np.bool_]:
    """Say of each row whether it is one of `ascending`."""
    if not len(ascending):
        return np.zeros(rows.shape, dtype=np.bool_)
    places = np.searchsorted(ascending, rows)
    return np.equal(ascending[np.minimum(places, len(ascending) - 1)], rows)


def deleted_rows(folder: Path, version: Version) -> Int64Array:
    """Open the deleted rows of a version, ascending."""
    if version.deleted is None:
        return np.empty(0, dtype=np.int64)
    check_files(folder, [version.deleted], again=repair_of(folder))
    return np.memmap(folder / version.deleted.name, "<i8", "r")
