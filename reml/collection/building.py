"""From pages to segments: what a collection is built and appended with, in memory bounded by one segment."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np

from reml.collection.columns import Column, checked_columns, joined
from reml.collection.passages import Passage, split_page
from reml.collection.segments import Segment, hashes, passage_batch, write_segment
from reml.collection.snapshot import Snapshot, are_in
from reml.collection.versions import (
    BUILDING,
    SEGMENTS,
    Version,
    commit,
    read_building,
    remove_drafts,
    write_building,
)
from reml.contract.collections import KnowledgeSource
from reml.devices.progress import tracked
from reml.files.atomic import StaleError

# With very long passages a segment ends earlier: after so many characters for each row it may have.
_CHARACTERS_A_ROW = 512


@dataclass(slots=True)
class _Draft:
    """Pages on their way into one segment; `numbers` says which page of the stream each id is, from 1."""

    passages: list[Passage] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    characters: int = 0

    def is_full(self, segment_rows: int) -> bool:
        return len(self.passages) >= segment_rows or self.characters >= segment_rows * _CHARACTERS_A_ROW

    def add(self, number: int, page: Sequence[Passage]) -> None:
        first = page[0]
        if not first.page_id:
            raise ValueError(f"page {number} ({first.title!r}) has an empty id: give each page one of its own.")
        if first.page_id in self.numbers:
            raise _duplicate(first.page_id, f"page {self.numbers[first.page_id]}", number)
        self.numbers[first.page_id] = number
        self.passages += page
        self.characters += sum(len(passage.text) for passage in page)


def build_first_version(source: KnowledgeSource, folder: Path, wanted: Version) -> None:
    """Fill and commit a version that is empty as yet, from where a killed run stopped.

    What was begun from another source or with other settings is thrown away: nobody could open it yet. `ValueError` if
    the source has no pages, `StaleError` if it changed meanwhile.
    """
    remove_drafts(folder)
    version = begun = _begun(folder, wanted)
    cut = (split_page(page, wanted.words, wanted.units) for page in islice(source.pages(), begun.pages, None))
    pages = tracked(cut, "cut pages", unit="passages", size=len, done=begun.next_row)
    for version in add_pages(Snapshot(folder, begun), pages):
        write_building(folder, version)
    if not version.segments:
        raise ValueError(f"{source!r} has no pages: there is nothing to build {folder} from.")
    if source.fingerprint != version.source:
        raise StaleError(f"{source!r} changed while {folder} was built from it. Move {folder} away and build it again.")
    commit(folder, version)
    (folder / BUILDING).unlink()


def add_pages(
    snapshot: Snapshot, pages: Iterable[Sequence[Passage]], values: Mapping[str, Column] | None = None
) -> Iterator[Version]:
    """Write pages, each given as its passages, as segments after those of a snapshot, with columns of their rows.

    Yields the version so far, not yet committed, after each segment. The ids of pages must differ from each other and
    from those of all pages that are not deleted: `ValueError` names the id and both places. A column must have a value
    for each row and agree with what there is of it: `ValueError` before the last version.
    """
    version, segments = snapshot.version, list(snapshot.segments)
    columns = checked_columns(values, snapshot.columns)
    for draft in _drafts(pages, version):
        _refuse_duplicates(draft, segments, snapshot)
        start = version.next_row - snapshot.version.next_row
        _check_lengths(columns, start + len(draft.passages), more=True)
        mine = {name: column[start : start + len(draft.passages)] for name, column in columns.items()}
        version = _write(draft, snapshot, version, segments, mine)
        yield version
    _check_lengths(columns, version.next_row - snapshot.version.next_row, more=False)


def _begun(folder: Path, wanted: Version) -> Version:
    """Give how far `wanted` is built, or begin it."""
    version = read_building(folder)
    if version is None or replace(version, segments=()) != wanted:
        shutil.rmtree(folder / SEGMENTS, ignore_errors=True)
        version = wanted
        write_building(folder, version)
    return version


def _drafts(pages: Iterable[Sequence[Passage]], version: Version) -> Iterator[_Draft]:
    draft = _Draft()
    for number, page in enumerate(pages, start=version.pages + 1):
        draft.add(number, page)
        if draft.is_full(version.segment_rows):
            yield draft
            draft = _Draft()
    if draft.passages:
        yield draft


def _check_lengths(columns: Mapping[str, Column], rows: int, *, more: bool) -> None:
    """Refuse columns that are too short for so many rows; and, unless more rows may come, those that are too long."""
    wrong = {
        name: len(column) for name, column in columns.items() if len(column) < rows or not (more or len(column) == rows)
    }
    if wrong:
        raise ValueError(f"{rows} rows are appended with values for {wrong}: give one for each row, in their order.")


def _write(
    draft: _Draft, snapshot: Snapshot, version: Version, segments: list[Segment], columns: Mapping[str, Column]
) -> Version:
    """Write a segment and take the short ones before it into it: a thousand small appends leave ten segments."""
    batches, rows, size = [passage_batch(draft.passages)], len(draft.passages), draft.characters
    first, pieces = version.next_row, [(len(draft.passages), columns)]
    while segments and segments[-1].record.rows <= rows:
        record = segments[-1].record
        rows, size = rows + record.rows, size + record.size
        if rows > version.segment_rows or size > version.segment_rows * _CHARACTERS_A_ROW:
            break
        pieces.insert(0, (record.rows, segments[-1].columns))
        batches.insert(0, segments.pop().batch)
        first = record.first
    parent = snapshot.folder / SEGMENTS
    segments.append(Segment(parent, write_segment(parent, first, batches, joined(pieces)), written=True))
    return replace(version, segments=tuple(segment.record for segment in segments))


def _refuse_duplicates(draft: _Draft, segments: Sequence[Segment], snapshot: Snapshot) -> None:
    page_ids = list(draft.numbers)
    keys = hashes(page_ids)
    order = np.argsort(keys)
    keys, pages_before = keys[order], 0
    for segment in segments:
        known = segment.pages[0]
        places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        for place in order[known[places] == keys].tolist():
            rows = segment.rows_of_page(page_ids[place])
            live = rows[~are_in(snapshot.deleted, rows)]
            if len(live):
                number = pages_before + segment.page_number(live[0])
                raise _duplicate(page_ids[place], f"page {number} (row {live[0]})", draft.numbers[page_ids[place]])
        pages_before += segment.record.pages


def _duplicate(page_id: str, place: str, number: int) -> ValueError:
    return ValueError(
        f"page id {page_id!r} is given twice: to {place} and to page {number}. "
        "Give each page an id of its own; to replace a page, delete its rows first."
    )
