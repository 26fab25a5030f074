"""Repairs a collection from its versions and segments: what is whole stays, what is lost is listed.

The newest version whose description is whole says which rows there are. A segment of it that is damaged is replaced by
segments of former versions that are whole, as far as there are some, or written again if its items are whole; other
rows of it are lost: they become deleted rows, so that no row id ever means something else. That is a new version. What
is damaged lies aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reml.collection.columns import column_of_file, open_column
from reml.collection.disk import write_deleted
from reml.collection.passages import Passage
from reml.collection.segments import ITEMS, SegmentRecord, passage_batch, read_batch, write_segment
from reml.collection.versions import (
    BUILDING,
    SEGMENTS,
    VERSIONS,
    Version,
    commit,
    kept_version,
    read_building,
    read_version,
)
from reml.contract.vectors import Int64Array
from reml.experiment.integrity.moving import Repaired, aside, move_files
from reml.files.atomic import MANIFEST, CorruptError, locked
from reml.files.integrity.checked import CheckedFile

_BATCH = 1 << 16


def repair_collection(folder: Path, *, built: bool = True, dry: bool = False) -> Repaired:
    """Repair a collection. dry: say what would be done, and do nothing.

    built: whether what it was first built from can be built again; if that is all it holds, it is moved aside whole.

    `LockedError` while another process writes to it, `CorruptError` where no version can be read.
    """
    with locked(folder):
        if not (folder / MANIFEST).is_file() and not any((folder / VERSIONS).glob(f"*/{MANIFEST}")):
            return _unfinished(folder, dry=dry)
        return _Repair(folder, aside(folder), built=built).run(dry=dry)


def _unfinished(folder: Path, *, dry: bool) -> Repaired:
    """Let a collection that was never whole be begun anew if what says how far it is is damaged."""
    try:
        read_building(folder)
    except CorruptError:
        if not dry:
            move_files([folder / BUILDING], folder, aside(folder))
        return Repaired(folder, (folder / BUILDING,), again=("It was not finished: what builds it begins anew.",))
    return Repaired(folder, kept=("It is not finished: run what builds it again, which goes on.",))


@dataclass(frozen=True)
class _Lost:
    """Rows from `first` to `stop`, the end exclusive."""

    first: int
    stop: int

    def __str__(self) -> str:
        return f"The items of rows {self.first:,} to {self.stop - 1:,} are lost."


@dataclass(frozen=True)
class _Mended:
    """A segment whose items are whole: its tables are made of them again. without: columns that are not whole."""

    record: SegmentRecord
    without: tuple[str, ...]

    def __str__(self) -> str:
        first, last = self.record.first, self.record.stop - 1
        return f"The values {', '.join(self.without)} of rows {first:,} to {last:,} are lost."


_Part = SegmentRecord | _Mended | _Lost


class _Repair:
    def __init__(self, folder: Path, place: Path, *, built: bool) -> None:
        self.folder, self.place, self.built = folder, place, built
        self._whole: dict[CheckedFile, bool] = {}

    def run(self, *, dry: bool) -> Repaired:
        newest, versions, unreadable = self._versions()
        damaged = list(dict.fromkeys(self._damaged(versions)))
        if not damaged and not unreadable and all(map(self._is_whole, newest.files)):
            return Repaired(self.folder, kept=(f"It is whole at version {newest.number}.",))
        parts = [*self._parts(newest, versions)]
        deleted, forgotten = self._deleted(newest, versions)
        lost = [str(part) for part in parts if isinstance(part, _Lost) or (isinstance(part, _Mended) and part.without)]
        if self.built and max(versions) == 1 and newest.source and lost:
            return self._all_aside(dry=dry)
        moved = (*unreadable, *damaged)
        if not dry:
            move_files(moved, self.folder, self.place)
            number = self._commit(newest, parts, deleted, max(versions) + 1)
        else:
            number = newest.number
        rows = sum(one.rows for one in self._kept(parts))
        how = f"It goes on at version {number}, with" if not dry else "There stay"
        return Repaired(self.folder, moved, (*lost, *forgotten), (f"{how} the items of {rows:,} rows.",))

    def _kept(self, parts: Iterable[_Part]) -> Iterator[SegmentRecord]:
        for part in parts:
            if not isinstance(part, _Lost):
                yield part.record if isinstance(part, _Mended) else part

    def _all_aside(self, *, dry: bool) -> Repaired:
        """Move a collection away that holds nothing but what it was built of: as it is built again, all is there."""
        if not dry:
            self.folder.rename(self.place)
        said = "It holds nothing but what it was built from: what built it builds it again."
        return Repaired(self.folder, (self.folder,), again=(said,))

    def _versions(self) -> tuple[Version, dict[int, Version], list[Path]]:
        """Give the newest version, all that can be read by their numbers, and the manifests that cannot."""
        found: dict[int, Version] = {}
        unreadable: list[Path] = []
        newest: Version | None = None
        for path in sorted((self.folder / VERSIONS).glob(f"*/{MANIFEST}")):
            try:
                found[int(path.parent.name)] = kept_version(self.folder, int(path.parent.name))
            except CorruptError:
                unreadable.append(path)
        try:
            newest = read_version(self.folder)
            found.setdefault(newest.number, newest)
        except CorruptError:
            unreadable.append(self.folder / MANIFEST)
        if not found:
            raise CorruptError(
                f"no version of {self.folder} can be read: nothing is changed. Move it away to build it again; its "
                f"items lie in {self.folder / SEGMENTS}, as Arrow files."
            )
        return newest or found[max(found)], found, unreadable

    def _is_whole(self, file: CheckedFile) -> bool:
        if file not in self._whole:
            self._whole[file] = file.is_whole(self.folder)
        return self._whole[file]

    def _has(self, record: SegmentRecord) -> bool:
        return all(map(self._is_whole, _placed(record)))

    def _damaged(self, versions: dict[int, Version]) -> Iterator[Path]:
        """Go through what is damaged, segments as their folders."""
        for version in versions.values():
            for record in version.segments:
                if not self._has(record) and (self.folder / SEGMENTS / record.name).exists():
                    yield self.folder / SEGMENTS / record.name
            if version.deleted is not None and not self._is_whole(version.deleted):
                yield self.folder / version.deleted.name

    def _parts(self, newest: Version, versions: dict[int, Version]) -> Iterator[_Part]:
        """Give the segments that are whole or can be mended, and the rows that none of these has, in order."""
        every = {record for version in versions.values() for record in version.segments}
        for record in newest.segments:
            wrong = {Path(file.name).name for file in _placed(record) if not self._is_whole(file)}
            if not wrong:
                yield record
            elif ITEMS not in wrong:
                yield _Mended(record, tuple(filter(None, map(column_of_file, sorted(wrong)))))
            else:
                yield from _instead(record, filter(self._has, every))

    def _deleted(self, newest: Version, versions: dict[int, Version]) -> tuple[Int64Array, list[str]]:
        """Give the rows that are deleted as far as that is known, and what of it is forgotten."""
        known = np.empty(0, dtype=np.int64)
        for number in sorted((number for number in versions if number <= newest.number), reverse=True):
            file = versions[number].deleted
            if file is None:
                break
            if self._is_whole(file):
                known = np.fromfile(self.folder / file.name, "<i8")
                break
        gone = newest.deleted_rows - len(known)
        return known, [f"{gone:,} deleted items are there again."] if gone else []

    def _commit(self, newest: Version, parts: Iterable[_Part], deleted: Int64Array, number: int) -> int:
        """Commit what is whole, as a new version unless all is as it was; rows that are lost become deleted ones."""
        segments, gone = [], [deleted]
        for part in parts:
            if isinstance(part, _Lost):
                gone.append(np.arange(part.first, part.stop, dtype=np.int64))
                segments.append(_empty(self.folder / SEGMENTS, part))
            else:
                segments.append(self._mended(part) if isinstance(part, _Mended) else part)
        every = np.unique(np.concatenate(gone))
        same = tuple(segments) == newest.segments and len(every) == newest.deleted_rows
        if same and (newest.deleted is None or self._is_whole(newest.deleted)):
            commit(self.folder, newest)
            return newest.number
        file = write_deleted(self.folder, number, every) if len(every) else None
        now = replace(newest, number=number, segments=tuple(segments), deleted=file, deleted_rows=len(every))
        commit(self.folder, now)
        return number

    def _mended(self, part: _Mended) -> SegmentRecord:
        """Write a segment again of its items, which lie aside with what was damaged of it."""
        record, folder = part.record, self.place / SEGMENTS / part.record.name
        named = {name: file.name for file in record.files if (name := column_of_file(file.name)) is not None}
        columns = {
            name: open_column(folder / file, record.rows) for name, file in named.items() if name not in part.without
        }
        batch = read_batch(folder / ITEMS, record.rows)
        return write_segment(self.folder / SEGMENTS, record.first, [batch], columns)


def _placed(record: SegmentRecord) -> list[CheckedFile]:
    """Give the files of a segment by their paths in the collection's folder."""
    return [replace(file, name=f"{SEGMENTS}/{record.name}/{file.name}") for file in record.files]


def _instead(record: SegmentRecord, whole: Iterable[SegmentRecord]) -> Iterator[SegmentRecord | _Lost]:
    """Cover the rows of a damaged segment by whole ones, from the first row on each time by the longest."""
    inside = (one for one in whole if record.first <= one.first and one.stop <= record.stop)
    row = record.first
    for one in sorted(inside, key=lambda one: (one.first, -one.stop)):
        if one.first >= row:
            if one.first > row:
                yield _Lost(row, one.first)
            yield one
            row = one.stop
    if row < record.stop:
        yield _Lost(row, record.stop)


def _empty(parent: Path, lost: _Lost) -> SegmentRecord:
    """Write a segment without texts in the place of rows that are lost."""
    starts = range(lost.first, lost.stop, _BATCH)
    runs = (range(start, min(start + _BATCH, lost.stop)) for start in starts)
    batches = [passage_batch([Passage(f"lost-{row}", "", "", None) for row in run]) for run in runs]
    return write_segment(parent, lost.first, batches)
