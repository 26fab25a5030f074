r"""Knowledge sources on disk: pages in KILT's schema, one JSON object a line, plain or gzip.

    {"_id": "1", "wikipedia_id": "1", "wikipedia_title": "Chad", "text": ["Chad\n", "Chad is a country.\n"], ...}

Other fields (anchors, categories, history) are skipped.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

import msgspec

from reml.contract.arguments.checked import checked
from reml.contract.examples import Page
from reml.files.atomic import atomic_file
from reml.files.integrity.digests import remembered_digest
from reml.files.lines import LineError, existing_file, json_lines
from reml.files.typed_json import Keys, decode_json, hinted


@checked()
class JsonlPages:
    """The pages of a JSONL file, streamed in the order of its lines; blank lines are skipped.

    `FileNotFoundError` or `IsADirectoryError` if there is no such file. While streaming, a line that is not a page
    or a file without one raises `LineError`, a gzip file that is damaged or cut short `CorruptError`.
    """

    def __init__(self, path: str | Path) -> None:
        wanted = "a .jsonl or .jsonl.gz file of pages in KILT's schema"
        self.path = existing_file(path, wanted, what="knowledge source at")

    def __repr__(self) -> str:
        return f"JsonlPages({str(self.path)!r})"

    @property
    def fingerprint(self) -> str:
        """The digest of the file's bytes, remembered between processes while the file does not change."""
        return remembered_digest(self.path)

    def pages(self) -> Iterator[Page]:
        """Yield every page once, in the order of the lines, one line in memory at a time."""
        page = None
        for _, page in json_lines(self.path, hinted(_page, _KEYS)):
            yield page
        if page is None:
            raise LineError(f"{self.path} is empty: one page a line is wanted (docs/kilt.md).")


def write_pages(pages: Iterable[Page], path: str | Path) -> int:
    """Write pages in KILT's schema and give their number; gzip if the name ends in `.gz`.

    The file is whole or not there, and the same pages give the same bytes.
    """
    path, count = Path(path), 0
    with atomic_file(path) as draft, draft.open("wb") as raw:
        stream = gzip.GzipFile("", "wb", 6, raw, mtime=0) if path.suffix == ".gz" else raw
        with io.BufferedWriter(cast(io.RawIOBase, stream), 1 << 20) as lines:
            for page in pages:
                lines.write(_line(page))
                count += 1
    return count


def _line(page: Page) -> bytes:
    record = {"_id": page.id, "wikipedia_id": page.id, "wikipedia_title": page.title, "text": page.paragraphs}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


class _Record(msgspec.Struct, gc=False):
    wikipedia_title: str
    text: list[str]
    wikipedia_id: str | int | None = None
    own_id: str | int | None = msgspec.field(name="_id", default=None)


_KEYS: Keys = dict.fromkeys(("_id", "wikipedia_id", "wikipedia_title", "text"))
_DECODER = msgspec.json.Decoder(_Record)


def _page(line: str) -> Page:
    record = decode_json(line, _DECODER, "the page")
    if not any(map(str.strip, record.text)):
        raise ValueError("'text' is empty; text[0] must hold at least the page's title.")
    identifier = record.own_id if record.wikipedia_id is None else record.wikipedia_id
    if identifier is None or not str(identifier).strip():
        given = "missing" if identifier is None else repr(identifier)
        raise ValueError(f"'wikipedia_id' (or '_id') must be a string; it is {given}.")
    return Page(str(identifier), record.wikipedia_title, tuple(record.text))
