"""Collections on disk: items by row, page and title, in versions that one writer adds and any number of readers keep.

    collection = build_collection(JsonlPages("pages.jsonl.gz"), Path("wikipedia"))
    collection.get(np.array([12, 7]))                     # two items, in this order
    collection.append(pages); collection.delete(rows)     # each makes a version; row ids are never used again

The files are described in `reml.collection.versions` and `reml.collection.segments`.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import numpy as np

from reml.collection.building import add_pages, build_first_version
from reml.collection.columns import Column
from reml.collection.passages import RUNS, Passage, Units, split_page
from reml.collection.snapshot import Snapshot, are_in, deleted_rows
from reml.collection.versions import (
    BUILDING,
    DELETED,
    MADE,
    SEGMENT_ROWS,
    Version,
    commit,
    prune,
    read_version,
    version_numbers,
)
from reml.contract.arguments.several import several
from reml.contract.collections import KnowledgeSource
from reml.contract.examples import Item, Page, Span
from reml.contract.vectors import Int64Array
from reml.devices.disk import written
from reml.files.atomic import MANIFEST, CorruptError, StaleError, atomic_file, locked, repair_of
from reml.files.integrity.checked import CheckedFile
from reml.files.integrity.owned import refuse_others
from reml.files.integrity.sealed import check_files


@dataclass(frozen=True, eq=False, slots=True)
class Changes:
    """Rows that came and rows that went between two versions, both int64, ascending."""

    added: Int64Array
    deleted: Int64Array


class DiskCollection:
    """One version of a collection on disk, memory-mapped; the newest if none is named.

    It stays at its version whatever others write; its own writing moves it to the version it made, `refresh` to the
    newest. Writing raises `LockedError` while another process writes, `OSError` when the disk is full; it is then as if
    it had not begun.
    """

    def __init__(self, folder: str | Path, version: int | None = None) -> None:
        self.folder = Path(folder)
        self._snapshot = _opened(self.folder, version)

    def __repr__(self) -> str:
        return f"DiskCollection({str(self.folder)!r}, version={self.version})"

    def __reduce__(self) -> tuple[Callable[[Path, int], DiskCollection], tuple[Path, int]]:
        return DiskCollection, (self.folder, self.version)

    def __len__(self) -> int:
        return len(self._snapshot)

    @property
    def fingerprint(self) -> str:
        """A digest of this version's content."""
        return self._snapshot.version.fingerprint

    @property
    def version(self) -> int:
        """The number of this version, from 1."""
        return self._snapshot.version.number

    @property
    def words(self) -> int | None:
        """The words of a passage that pages are split into; `None` if they stay whole."""
        return self._snapshot.version.words

    @property
    def units(self) -> Units:
        """What passages are made of that pages are split into."""
        return self._snapshot.version.units

    @property
    def source(self) -> str:
        """The fingerprint of the knowledge source that version 1 was built from; "" if it started empty."""
        return self._snapshot.version.source

    def rows(self) -> Int64Array:
        """Give all row ids that are not deleted, ascending, int64 [N]."""
        return self._snapshot.rows()

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order, duplicates included; `KeyError` for a row that is not there."""
        return self._snapshot.get(rows)

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from row id `start` on in row order, at most `size` at a time, in bounded memory."""
        if size < 1 or start < 0:
            raise ValueError(f"size is {size} and start {start}: give a size of at least 1 and a start of at least 0.")
        return self._snapshot.batches(size, start)

    def values(self, column: str, rows: Int64Array) -> Column:
        """Give numbers kept beside the items of these rows, [*rows.shape, *shape of the column], 0 for row -1.

        `page` numbers the pages and `words` counts the words of the texts; others were given with the rows, which have
        0 where they were not. `KeyError` names the columns there are, or a row that is not there.
        """
        return self._snapshot.values(column, rows)

    def by_page(self, page_id: str) -> list[Item]:
        """Give the items of a page in row order, none if there is no such page."""
        return self.get(self._snapshot.rows_of_page(page_id))

    def by_title(self, title: str) -> list[Item]:
        """Give the items of all pages with exactly this title, in row order."""
        return self.get(self._snapshot.rows_of_title(title))

    def versions(self) -> list[int]:
        """Give the numbers of all versions that can be opened, ascending."""
        return version_numbers(self.folder, read_version(self.folder).number)

    def changes_since(self, version: int) -> Changes:
        """Say what this version has and has not, compared with an older one; what came and went between is in neither.

        `ValueError` if the older version was pruned or never was.
        """
        older = read_version(self.folder, version)
        if older.number > self.version:
            raise ValueError(f"version {version} is newer than {self!r}: refresh it first.")
        rows, gone = self.rows(), self._snapshot.deleted
        lost = gone[(gone < older.next_row) & ~are_in(deleted_rows(self.folder, older), gone)]
        return Changes(rows[np.searchsorted(rows, older.next_row) :], np.array(lost))

    def verify(self) -> None:
        """Read all bytes of this version; `CorruptError` names the first file that is not what was written.

        `ValueError` if it was pruned meanwhile.
        """
        version = self._snapshot.version
        try:
            check_files(self.folder, version.files, again=repair_of(self.folder), verify="open")
        except CorruptError:
            read_version(self.folder, version.number)  # raises if it was pruned
            raise

    def refresh(self) -> None:
        """Move to the newest version."""
        self._snapshot = _opened(self.folder, None, self._snapshot)

    def append(self, pages: Iterable[Page], values: Mapping[str, Column] | None = None) -> Int64Array:
        """Add pages, split as the others are; give the rows of their passages, ascending.

        values: columns of numbers, [n, ...] for the n passages. `ValueError` names a page whose id is given twice or
        belongs to a page that is not deleted, or a column that does not fit.
        """
        with self._writing() as newest:
            return self._add(newest, (split_page(page, self.words, self.units) for page in pages), values)

    def append_items(self, items: Sequence[Item], values: Mapping[str, Column] | None = None) -> Int64Array:
        """Add items as they are, with new rows; give these, int64 [n].

        Items of one page stand together; one without a page gets one of its own, whose id is made from its row.
        `ValueError` for an item with neither text nor title, media or fields, and as of `append`.
        """
        empty = [place for place, item in enumerate(items) if not _says_something(item)]
        if empty:
            raise ValueError(f"items {empty[:5]} have nothing to store. Leave them out.")
        with self._writing() as newest:
            passages = [_kept(item, row) for row, item in enumerate(items, start=newest.next_row)]
            by_page = groupby(passages, attrgetter("page_id"))
            return self._add(newest, (list(page) for _, page in by_page), values)

    def append_texts(
        self, texts: Sequence[str], title: str = "", values: Mapping[str, Column] | None = None
    ) -> Int64Array:
        """Add texts as items, uncut, each a page of its own whose id is made from its row; give their rows, int64 [n].

        values: columns of numbers, [n, ...]. `ValueError` if a text is blank or a column does not fit.
        """
        blank = [place for place, text in enumerate(several(texts, "texts")) if not text.strip()]
        if blank:
            raise ValueError(f"texts {blank[:5]} are blank: there is nothing to store. Leave them out.")
        with self._writing() as newest:
            named = enumerate(texts, start=newest.next_row)
            return self._add(newest, ([_whole(f"text-{row}", title, text)] for row, text in named), values)

    def delete(self, rows: Int64Array) -> None:
        """Take items out of the newest version; `KeyError` for a row that is not there. Their ids stay unused."""
        rows = np.unique(np.asarray(rows, dtype=np.int64))
        with self._writing() as newest:
            self._snapshot.check_rows(rows)
            if len(rows):
                deleted = np.union1d(self._snapshot.deleted, rows)
                file = write_deleted(self.folder, newest.number + 1, deleted)
                self._commit(replace(newest, deleted=file, deleted_rows=len(deleted)))

    def prune(self, keep: int = 1) -> None:
        """Forget all versions but the newest `keep`, and remove files that none of them needs.

        Readers that have an older version open keep it; nobody can open it any more.
        """
        if keep < 1:
            raise ValueError(f"keep is {keep}: the newest version always stays, give at least 1.")
        with self._writing():
            prune(self.folder, keep)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Version]:
        """Be the only writer, at the newest version."""
        with locked(self.folder), written(self.folder):
            self.refresh()
            yield self._snapshot.version

    def _add(
        self, newest: Version, pages: Iterable[Sequence[Passage]], values: Mapping[str, Column] | None
    ) -> Int64Array:
        added = deque(add_pages(self._snapshot, pages, values), maxlen=1)
        for version in added:
            self._commit(version)
        return np.arange(newest.next_row, self._snapshot.version.next_row, dtype=np.int64)

    def _commit(self, version: Version) -> None:
        version = replace(version, number=self.version + 1)
        commit(self.folder, version)
        self._snapshot = Snapshot(self.folder, version, self._snapshot, written=True)


def build_collection(
    source: KnowledgeSource,
    folder: str | Path,
    *,
    words: int | None = 100,
    units: Units = RUNS,
    segment_rows: int = SEGMENT_ROWS,
) -> DiskCollection:
    """Split all pages of a source into passages (`reml.collection.passages`) and open the collection of them.

    Goes on from where a killed build stopped and opens at once what is complete; a collection that was appended to
    still fits its source. Memory is bounded by `segment_rows` passages. `StaleError` if `folder` was built from other
    pages or cut otherwise, `LockedError` if another process builds it, `FileExistsError` if it holds other files,
    `ValueError` for a page id given twice (with both places) or a page without text.
    """
    folder = Path(folder)
    wanted = _first_version(source.fingerprint, words, units, segment_rows)
    if not _is_complete(folder):
        refuse_others(folder, MADE)
        with locked(folder), written(folder):
            if not (folder / MANIFEST).is_file():
                build_first_version(source, folder, wanted)
            (folder / BUILDING).unlink(missing_ok=True)
    return _fitting(DiskCollection(folder), wanted)


def open_collection(folder: str | Path, version: int | None = None) -> DiskCollection:
    """Open a collection at a version, the newest if none is named; `CorruptError` if it is not there or damaged."""
    return DiskCollection(folder, version)


def create_collection(
    folder: str | Path, *, words: int | None = 100, units: Units = RUNS, segment_rows: int = SEGMENT_ROWS
) -> DiskCollection:
    """Make an empty collection, to append to; `FileExistsError` if there is one."""
    folder, empty = Path(folder), _first_version("", words, units, segment_rows)
    refuse_others(folder, MADE)
    with locked(folder), written(folder):
        if (folder / MANIFEST).is_file() or (folder / BUILDING).is_file():
            raise FileExistsError(f"{folder} holds a collection already. Open it, or name another folder.")
        commit(folder, empty)
    return DiskCollection(folder)


def _opened(folder: Path, number: int | None, former: Snapshot | None = None) -> Snapshot:
    if (folder / BUILDING).is_file() and not (folder / MANIFEST).is_file():
        raise CorruptError(f"{folder} is not finished. Run what builds it again: it goes on from where it stopped.")
    version = read_version(folder, number)
    try:
        return Snapshot(folder, version, former)
    except (CorruptError, FileNotFoundError):
        # A writer may have committed and pruned since the manifest was read.
        if read_version(folder, number) == version:
            raise
        return _opened(folder, number, former)


def _is_complete(folder: Path) -> bool:
    return (folder / MANIFEST).is_file() and not (folder / BUILDING).is_file()


def _first_version(source: str, words: int | None, units: Units, segment_rows: int) -> Version:
    if (words is not None and words < 1) or segment_rows < 1:
        raise ValueError(f"words is {words} and segment_rows {segment_rows}: both must be at least 1.")
    units.check(words)
    return Version(1, source, words, segment_rows, units=units)


def _fitting(collection: DiskCollection, wanted: Version) -> DiskCollection:
    if collection.words != wanted.words:
        made = f"with {_cut(collection.words, wanted.words)}"
    elif collection.units != wanted.units:
        made = f"of {collection.units}, not of {wanted.units}"
    elif collection.source != wanted.source:
        made = f"from other pages (their fingerprint is {collection.source!r}, that of those given {wanted.source!r})"
    else:
        return collection
    raise StaleError(
        f"{collection.folder} was built {made}. Move it away to have it built again, or name another folder."
    )


def _cut(was: int | None, wanted: int | None) -> str:
    if was is None:
        return f"whole pages, not passages of {wanted} words"
    return f"passages of {was} words, not {'whole pages' if wanted is None else wanted}"


def _whole(page_id: str, title: str, text: str) -> Passage:
    return Passage(page_id, title, text, Span(1, 0, 1, len(text)))


def _kept(item: Item, row: int) -> Passage:
    return Passage(item.page_id or f"item-{row}", item.title, item.text, item.span, item.media, item.fields)


def _says_something(item: Item) -> bool:
    return bool(item.full_text().strip() or item.media or item.fields)


def write_deleted(folder: Path, number: int, rows: Int64Array) -> CheckedFile:
    """Write which rows are deleted up to a version, ascending, and put the file on record."""
    name = f"{DELETED}/{number:08d}.i64"
    with atomic_file(folder / name) as draft:
        draft.write_bytes(rows.astype("<i8").tobytes())
    return CheckedFile.of(folder, name)
