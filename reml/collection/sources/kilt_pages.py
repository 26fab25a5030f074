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

from reml.contract.examples import Json, Page
from reml.files.atomic import atomic_file
from reml.files.digests import remembered_digest
from reml.files.lines import numbered_lines


class JsonlPages:
    """The pages of a JSONL file, streamed in the order of its lines; blank lines are skipped.

    `FileNotFoundError` if there is no such file. While streaming, a line that is not a page raises `ValueError`, a gzip
    file that is damaged or cut short `CorruptError`; both name the file and the line.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no knowledge source at {self.path}. Name a .jsonl or .jsonl.gz file.")

    def __repr__(self) -> str:
        return f"JsonlPages({str(self.path)!r})"

    @property
    def fingerprint(self) -> str:
        """The digest of the file's bytes, remembered between processes while the file does not change."""
        return remembered_digest(self.path)

    def pages(self) -> Iterator[Page]:
        """Yield every page once, in the order of the lines, one line in memory at a time."""
        for number, line in numbered_lines(self.path):
            try:
                yield _page(line)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"{self.path}, line {number}: {error}") from error


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


def _page(line: bytes) -> Page:
    record = _record(line)
    paragraphs = record.get("text")
    if not isinstance(paragraphs, list) or not all(isinstance(paragraph, str) for paragraph in paragraphs):
        raise ValueError(f"'text' must be a list of strings, the title first; it is {_shown(paragraphs)}.")
    if not paragraphs or not any(map(str.strip, paragraphs)):
        raise ValueError("'text' is empty; text[0] must hold at least the page's title.")
    title = record.get("wikipedia_title")
    if not isinstance(title, str):
        raise ValueError(f"'wikipedia_title' must be a string; it is {_shown(title)}.")
    page = Page(_identifier(record), title, tuple(paragraphs))
    if b"\\ud" in line.lower():
        _refuse_lone_surrogates(page)
    return page


def _record(line: bytes) -> dict[str, Json]:
    text = line.decode("utf-8")
    try:
        record: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at character {error.pos + 1}): {_shown(text)}") from error
    if not isinstance(record, dict):
        raise ValueError(f"a page is a JSON object; this is {_shown(record)}.")
    return record


def _identifier(record: dict[str, Json]) -> str:
    value = record.get("wikipedia_id", record.get("_id"))
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"'wikipedia_id' (or '_id') must be a string; it is {_shown(value)}.")
    return str(value)


def _refuse_lone_surrogates(page: Page) -> None:
    try:
        "".join((page.id, page.title, *page.paragraphs)).encode()
    except UnicodeEncodeError as error:
        raise ValueError("an escape of \\ud800 to \\udfff stands alone: no text has such a character.") from error


def _shown(value: Json) -> str:
    """Show what was given, however long it is."""
    text = "missing" if value is None else repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
