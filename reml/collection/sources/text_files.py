"""Corpora of short texts as knowledge sources: each text is a page of one paragraph under its title.

DPR's psgs_w100.tsv (texts of 100 words, which stay whole with `reading: {words: null}`, as documents do):

    class_path: reml.collection.sources.TsvTexts
    init_args: {path: psgs_w100.tsv, columns: [id, text, title], header: true, quoted: true}

MS MARCO's collection.tsv, and its documents:

    init_args: {path: collection.tsv, columns: [id, text]}
    init_args: {path: msmarco-docs.tsv.gz, columns: [id, "", title, text]}

BEIR's corpus.jsonl, and MS MARCO's second version:

    class_path: reml.collection.sources.JsonlTexts
    init_args: {path: corpus.jsonl}
    init_args: {path: msmarco_passage_00.gz, id: pid, text: passage}

Files may be gzip. White space at the ends of a text is dropped; all else is kept as it is, character by character.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, cast

import msgspec

from reml.collection.sources.quoted_cells import quoted_cells
from reml.contract.arguments.checked import checked
from reml.contract.examples import Page
from reml.contract.recorded import recorded
from reml.files.atomic import digest
from reml.files.integrity.digests import remembered_digest
from reml.files.lines import LineError, decoded_lines, existing_file, json_lines
from reml.files.typed_json import MisfitError, decode_json

_LOG = logging.getLogger(__name__)
_COLUMNS = frozenset({"id", "text", "title", ""})
_WANTED = "the corpus file, plain or gzip"


@recorded
@checked()
class TsvTexts:
    """Texts of a file with tab-separated columns, in the order of its lines.

    columns: what each one holds: `id`, `text`, `title`, or "" for what is not wanted. header: whether the first line is
    none of the texts. quoted: whether a column may stand in double quotes, with quotes in it doubled; quotes are closed
    in their line and end their column. skip_blank: leave out lines with neither text nor title and log how many,
    instead of refusing them.

    `FileNotFoundError` or `IsADirectoryError` if there is no such file; while streaming, `LineError` names the line
    that is not so, and `CorruptError` the end of a gzip file cut short.
    """

    def __init__(
        self,
        path: str,
        columns: Sequence[str] = ("id", "text", "title"),
        *,
        header: bool = False,
        quoted: bool = False,
        skip_blank: bool = False,
    ) -> None:
        wanted = [name for name in columns if name]
        if not {"id", "text"} <= set(columns) <= _COLUMNS or len(set(wanted)) < len(wanted):
            raise ValueError(f'columns are {list(columns)}: name "id" and "text" once, "title" at most once, else "".')
        self.path = existing_file(path, _WANTED)
        self._columns = tuple(columns)
        self._header = header
        self._quoted = quoted
        self._skip_blank = skip_blank

    def __repr__(self) -> str:
        return f"TsvTexts({str(self.path)!r}, {self._columns!r}, header={self._header}, quoted={self._quoted})"

    @property
    def fingerprint(self) -> str:
        """A digest of the file's bytes and of how they are read."""
        return digest(remembered_digest(self.path), self._columns, [self._header, self._quoted, self._skip_blank])

    def pages(self) -> Iterator[Page]:
        """Yield every text once, one line in memory at a time."""
        return _kept(self._rows(), self.path, self._skip_blank)

    def _rows(self) -> Iterator[tuple[int, str, str, str]]:
        lines = decoded_lines(self.path, self._cells)
        for number, cells in islice(lines, int(self._header), None):
            if len(cells) != len(self._columns):
                raise LineError(
                    f"{self.path}, line {number} has {len(cells)} columns where {len(self._columns)} are named: "
                    f"{list(self._columns)}."
                )
            row = dict(zip(self._columns, cells, strict=True))
            yield number, row["id"], row.get("title", ""), row["text"]

    def _cells(self, line: str) -> list[str]:
        line = line.strip("\r\n")
        return quoted_cells(line) if self._quoted and '"' in line else line.split("\t")


@recorded
@checked()
class JsonlTexts:
    """Texts of a file of JSON objects, one a line, in the order of its lines.

    id, text, title: the keys that hold them, the id as a string or an integer; a title may be missing or null.
    skip_blank: as for `TsvTexts`, which also tells what is raised.
    """

    def __init__(
        self,
        path: str,
        id: str = "_id",  # noqa: A002  what the formats call it
        *,
        text: str = "text",
        title: str = "title",
        skip_blank: bool = False,
    ) -> None:
        self.path = existing_file(path, _WANTED)
        if len({id, title, text}) < 3:
            raise ValueError(f"id, title and text are the keys {[id, title, text]}: name three that differ.")
        self._keys = (id, title, text)
        self._decoder = _text_decoder(id, title, text)
        self._skip_blank = skip_blank

    def __repr__(self) -> str:
        identifier, title, text = self._keys
        return f"JsonlTexts({str(self.path)!r}, {identifier!r}, text={text!r}, title={title!r})"

    @property
    def fingerprint(self) -> str:
        """A digest of the file's bytes and of how they are read."""
        return digest(remembered_digest(self.path), self._keys, self._skip_blank)

    def pages(self) -> Iterator[Page]:
        """Yield every text once, one line in memory at a time."""
        return _kept(self._rows(), self.path, self._skip_blank)

    def _rows(self) -> Iterator[tuple[int, str, str, str]]:
        for number, record in json_lines(self.path, self._decoded):
            yield number, str(record.id), record.title or "", record.text

    def _decoded(self, line: str) -> _Text:
        try:
            return cast(_Text, decode_json(line, self._decoder, "the text"))
        except MisfitError as error:
            identifier, _, text = self._keys
            raise ValueError(
                f"{error} `id` ({identifier!r}) and `text` ({text!r}) name the keys of a text's id and words."
            ) from error


class _Text(Protocol):
    id: str | int
    title: str | None
    text: str


def _text_decoder(identifier: str, title: str, text: str) -> msgspec.json.Decoder[msgspec.Struct]:
    """Make what decodes a text by the keys it has in its file."""
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        ("id", str | int),
        ("text", str),
        ("title", str | None, None),
    ]
    names = {"id": identifier, "text": text, "title": title}
    return msgspec.json.Decoder(msgspec.defstruct("Text", fields, rename=names, gc=False))


def _kept(rows: Iterator[tuple[int, str, str, str]], path: Path, skip_blank: bool) -> Iterator[Page]:
    skipped = 0
    for number, identifier, title, text in rows:
        if not identifier.strip():
            raise LineError(f"{path}, line {number} has an empty id: give each text one of its own.")
        if text.strip() or title.strip():
            yield Page(identifier, title, (title, text.strip()))
        elif skip_blank:
            skipped += 1
        else:
            raise LineError(
                f"{path}, line {number} (id {identifier!r}) has neither text nor title; `skip_blank: true` leaves "
                "such lines out."
            )
    if skipped:
        _LOG.warning("%s: %d lines have neither text nor title and are left out.", path, skipped)
