"""The lines of a file, plain or gzip, one in memory at a time: the one door by which JSONL and its like are read."""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from reml.contract.arguments.paths import takes_paths
from reml.files.atomic import CorruptError

_GZIP_MAGIC = b"\x1f\x8b"

Value = TypeVar("Value")


class LineError(ValueError):
    """A line is not what its file should hold; the message names the file, the line and what is wrong."""


@takes_paths
def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, each with its number from 1; gzip is known by its bytes, whatever the name.

    A byte order mark is passed over. `CorruptError` names the last good line of a gzip file that is damaged or cut
    short.
    """
    number = 0
    try:
        with _open(path) as stream:
            for number, line in enumerate(stream, start=1):
                text = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
                if text and not text.isspace():
                    yield number, text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorruptError(
            f"{path} is cut short or damaged after line {number} ({error}). Fetch the file again."
        ) from error


@takes_paths
def decoded_lines(path: Path, decode: Callable[[str], Value]) -> Iterator[tuple[int, Value]]:
    """Yield what is decoded of each line that is not blank, with its number from 1.

    `LineError` names the file and the line that is not UTF-8, has half a surrogate pair, or is refused by `decode` with
    a `ValueError`; `CorruptError` as of `numbered_lines`.
    """
    for number, line in numbered_lines(path):
        try:
            value = decode(line_text(line))
        except (ValueError, RecursionError) as error:
            raise LineError(f"{path}, line {number}: {error}") from error
        yield number, value


def line_text(line: bytes) -> str:
    """Give the text of a line; `ValueError` if it is not UTF-8 or, where it is JSON, escapes half a surrogate pair."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error}. Write the file as UTF-8.") from error
    if (b"\\ud" in line or b"\\uD" in line) and _has_half_a_pair(text):
        raise ValueError("an escape of \\ud800 to \\udfff stands alone: no text has such a character. Leave it out.")
    return text


def _has_half_a_pair(text: str) -> bool:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False  # no JSON: whoever decodes it says so
    return False


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as stream:
        zipped = stream.read(2) == _GZIP_MAGIC
    return cast(BinaryIO, gzip.open(path, "rb")) if zipped else path.open("rb")
