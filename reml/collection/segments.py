"""Segments of a collection: a run of consecutive rows in one folder, written once and never changed.

    items.arrow   one record batch in Arrow's IPC file format; row i of it is row `first` + i
    pages.u64     uint64 [3, P], little-endian, a column for each page: the hash of its id, ascending, its first row in
                  the batch, the number of its rows
    titles.u64    the same by the hash of the title
    column.NAME.npy   numbers beside the items (`reml.collection.columns`), where they were given

All are memory-mapped. Look-ups compare the real string where a hash fits, so that two strings of one hash are
told apart. The folder is named for its rows; the same rows always have the same bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from reml.collection.attachments import COLUMNS, attached, fields_of, media_of
from reml.collection.columns import Column, column_of_file, open_column, write_column
from reml.collection.passages import Passage, count_words
from reml.contract.examples import Item, Json, Span
from reml.contract.vectors import Int64Array
from reml.files.atomic import CorruptError, atomic_folder, repair_of
from reml.files.integrity.checked import CheckedFile, reading
from reml.files.integrity.sealed import check_files

UInt64Array = npt.NDArray[np.uint64]
ITEMS, PAGES, TITLES = "items.arrow", "pages.u64", "titles.u64"
_PLACES = ("start_paragraph", "start_character", "end_paragraph", "end_character")
_SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("text", "title", "page_id")] + [(name, pa.int32()) for name in _PLACES]
)


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """What a version knows of a segment: its rows, the number of its pages, its files."""

    first: int
    rows: int
    pages: int
    files: tuple[CheckedFile, ...]

    @property
    def stop(self) -> int:
        """The row after its last."""
        return self.first + self.rows

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.first:012d}-{self.stop:012d}"

    @property
    def size(self) -> int:
        """The bytes of its files."""
        return sum(file.size for file in self.files)

    @classmethod
    def parse(cls, content: Json) -> SegmentRecord:
        """Read what `content` wrote; `ValueError` if it is anything else."""
        match content:
            case {"first": int(first), "rows": int(rows), "pages": int(pages), "files": [*files]}:
                return cls(first, rows, pages, tuple(map(CheckedFile.parse, files)))
        raise ValueError(f"a segment's record has first, rows, pages and files, not {content!r}.")

    def content(self) -> Mapping[str, Json]:
        """Give the record as JSON."""
        files = [file.content() for file in self.files]
        return {"first": self.first, "rows": self.rows, "pages": self.pages, "files": files}


class Segment:
    """An open segment. Its files stay readable while it lives, even when they are deleted.

    `CorruptError` if a file is missing, of another size or, unless it was just written, of other bytes, as far as
    `REML_VERIFY` lets them be read.
    """

    def __init__(self, parent: Path, record: SegmentRecord, *, written: bool = False) -> None:
        self.record = record
        folder = parent / record.name
        check_files(folder, record.files, again=repair_of(parent.parent), verify="never" if written else None)
        self.batch = read_batch(folder / ITEMS, record.rows)
        self.pages: UInt64Array = np.memmap(folder / PAGES, "<u8", "r").reshape(3, record.pages)
        self.titles: UInt64Array = np.memmap(folder / TITLES, "<u8", "r").reshape(3, record.pages)
        self.columns: Mapping[str, Column] = {
            name: open_column(folder / file.name, record.rows)
            for file in record.files
            if (name := column_of_file(file.name)) is not None
        }

    def items(self, rows: Int64Array) -> list[Item]:
        """Give the items of rows of this segment, in this order."""
        return _items(self.batch.take(_to_arrow(rows - self.record.first)), rows)

    def slice(self, start: int, stop: int) -> list[Item]:
        """Give the items of the rows from `start` to `stop`, the end exclusive."""
        batch = self.batch.slice(start - self.record.first, stop - start)
        return _items(batch, np.arange(start, stop, dtype=np.int64))

    def rows_of_page(self, page_id: str) -> Int64Array:
        """Give the rows of a page, ascending, none if the page is not here."""
        return self._rows("page_id", self.pages, page_id)

    def rows_of_title(self, title: str) -> Int64Array:
        """Give the rows of the pages with this title, ascending."""
        return self._rows("title", self.titles, title)

    def page_number(self, row: int) -> int:
        """Count the pages of this segment up to the one that starts at `row`, itself included."""
        return int((self.pages[1] <= row - self.record.first).sum())

    def page_numbers(self, rows: Int64Array) -> Int64Array:
        """Give the place of each row's page in the order of this segment, from 0."""
        return np.searchsorted(self._starts, rows - self.record.first, side="right") - 1

    @functools.cached_property
    def _starts(self) -> npt.NDArray[np.uint32]:
        return np.sort(self.pages[1].astype(np.uint32))

    def words(self, rows: Int64Array) -> Int64Array:
        """Count the words of the texts of rows, as passages do."""
        texts = self.batch.column("text").take(pa.array(rows - self.record.first))
        return np.fromiter((count_words(text.as_py()) for text in texts), dtype=np.int64, count=len(rows))

    def _rows(self, column: str, table: UInt64Array, wanted: str) -> Int64Array:
        key = hashes([wanted])[0]
        low, high = np.searchsorted(table[0], key, "left"), np.searchsorted(table[0], key, "right")
        strings = self.batch.column(column)
        runs = [run for run in table[1:, low:high].T.tolist() if strings[run[0]].as_py() == wanted]
        rows = [np.arange(start, start + count, dtype=np.int64) + self.record.first for start, count in runs]
        return np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)


def hashes(strings: Sequence[str]) -> UInt64Array:
    """Give the 64-bit hashes of strings, the same in every process."""
    digests = b"".join([blake2b(string.encode(), digest_size=8).digest() for string in strings])
    return np.frombuffer(digests, dtype="<u8")


def passage_batch(passages: Sequence[Passage]) -> pa.RecordBatch:
    """Put passages into a record batch; `ValueError` names the page of a text that is not Unicode."""
    columns = zip(*map(_fields, passages), strict=True)
    try:
        arrays = [pa.array(column, kind) for column, kind in zip(columns, _SCHEMA.types, strict=True)]
        further = attached(passages)
    except UnicodeEncodeError as error:
        page = next(passage for passage in passages if not _is_unicode(passage))
        raise ValueError(f"page {page.page_id!r} ({page.title!r}) has half a surrogate pair: {error}.") from error
    return pa.record_batch([*arrays, *further.values()], schema=_schema(further))


def write_segment(
    parent: Path, first: int, batches: Sequence[pa.RecordBatch], columns: Mapping[str, Column] | None = None
) -> SegmentRecord:
    """Write record batches, and columns of all their rows, as one segment that starts at row `first`.

    It is there whole or not at all.
    """
    batch = _together(batches)
    starts, counts = _runs(batch.column("page_id"))
    record = SegmentRecord(first, batch.num_rows, len(starts), ())
    with atomic_folder(parent / record.name) as draft:
        with pa.OSFile(str(draft / ITEMS), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        for name, column in ((PAGES, "page_id"), (TITLES, "title")):
            keys = hashes(batch.column(column).take(pa.array(starts)).to_pylist())
            order = np.argsort(keys, kind="stable")
            table = np.stack([keys, starts.astype("<u8"), counts.astype("<u8")])[:, order]
            (draft / name).write_bytes(table.tobytes())
        written = [write_column(draft, name, column) for name, column in (columns or {}).items()]
        files = tuple(CheckedFile.of(draft, name) for name in (ITEMS, PAGES, TITLES, *written))
    return SegmentRecord(first, batch.num_rows, len(starts), files)


def _fields(passage: Passage) -> tuple[str | int | None, ...]:
    span = passage.span
    places = (None,) * 4 if span is None else tuple(getattr(span, place) for place in _PLACES)
    return (passage.text, passage.title, passage.page_id, *places)


def _schema(further: Container[str]) -> pa.Schema:
    return pa.schema([*_SCHEMA, *((name, kind) for name, kind in COLUMNS.items() if name in further)])


def _together(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    table = pa.concat_tables([pa.Table.from_batches([batch]) for batch in batches], promote_options="default")
    return table.select(_schema(table.schema.names).names).combine_chunks().to_batches()[0]


def read_batch(path: Path, rows: int) -> pa.RecordBatch:
    """Map the items of a segment, so many rows; `CorruptError` if they are not that."""
    # Mapped by numpy, which keeps no file open: a large collection has hundreds of segments.
    with reading(path, repair_of(path.parents[2])):
        batch = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(np.memmap(path, mode="r")))).get_batch(0)
    if batch.schema != _schema(batch.schema.names) or batch.num_rows != rows:
        raise _corrupt(path, f"it holds {batch.num_rows} rows of {batch.schema.names}")
    return batch


def _corrupt(path: Path, reason: str) -> CorruptError:
    return CorruptError(f"{path} is not what was written ({reason}). {repair_of(path.parents[2])}")


# Arrow's own ways between it and numpy import pandas, where there is one, for a third of a second.
def _to_arrow(values: Int64Array) -> pa.Int64Array:
    return pa.Array.from_buffers(pa.int64(), len(values), [None, pa.py_buffer(np.ascontiguousarray(values))])


def _of_arrow(values: pa.Int32Array) -> npt.NDArray[np.int32]:
    """Give numbers none of which is null."""
    return np.frombuffer(values.buffers()[1], np.int32, len(values), values.offset * np.int32().itemsize)


def _items(batch: pa.RecordBatch, rows: Int64Array) -> list[Item]:
    texts, titles, page_ids = (column.to_pylist() for column in batch.columns[:3])
    known = (rows.tolist(), texts, titles, page_ids, _spans(batch.columns[3 : len(_SCHEMA)]))
    if len(batch.columns) == len(_SCHEMA):
        return list(map(Item, *known))
    return list(map(Item, *known, media_of(batch), fields_of(batch)))


def _spans(places: Sequence[pa.Int32Array]) -> Iterator[Span | None]:
    if not places[0].null_count:
        return map(Span, *(_of_arrow(column).tolist() for column in places))
    ends = zip(*(column.to_pylist() for column in places), strict=True)
    return (None if end[0] is None else Span(*end) for end in ends)


def _runs(page_ids: pa.StringArray) -> tuple[Int64Array, Int64Array]:
    """Give where each page starts and how many rows it has."""
    changes = pa.compute.not_equal(page_ids.slice(1), page_ids.slice(0, len(page_ids) - 1))
    starts = np.concatenate([[0], np.flatnonzero(changes.to_numpy(zero_copy_only=False)) + 1])
    return starts, np.diff(starts, append=len(page_ids))


def _is_unicode(passage: Passage) -> bool:
    try:
        named = (*(medium.path for medium in passage.media), *passage.fields, *passage.fields.values())
        "".join((passage.text, passage.title, passage.page_id, *named)).encode()
    except UnicodeEncodeError:
        return False
    return True
