"""The one door by which files that users give are read: text in UTF-8, line by line or whole, plain or gzip.

What holds for all of them: gzip is known by its bytes, whatever the name. A byte order mark of UTF-8 is passed over. A
line ends with a line feed, alone or after a carriage return; in a file without any line feed, with a carriage return.
No other character ends a line. Blank lines are skipped and counted. Refused, with the file and where there is one the
line: other compressions and archives, UTF-16 and UTF-32, bytes that are not UTF-8, NUL bytes, half a surrogate pair
that JSON escapes.
"""

from __future__ import annotations

import codecs
import contextlib
import functools
import gzip
import json
import re
import zlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TypeVar, cast

from reml.contract.arguments.paths import takes_paths
from reml.devices.progress import working
from reml.files.atomic import CorruptError

# How a file begins that only says where git-lfs keeps the file itself.
LFS_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_GZIP: Final = b"\x1f\x8b"
_MARK: Final = "\ufeff"
_ENCODINGS: Final = {  # UTF-32 first: its mark may begin as that of UTF-16
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_PACKED: Final = {
    rb"PK(\x03\x04|\x05\x06|\x07\x08)": "a zip archive: unpack it",
    rb"BZh[1-9](1AY&SY|\x17rE8P\x90)": "compressed by bzip2: unpack it, or compress it by gzip",
    rb"\xfd7zXZ\x00": "compressed by xz: unpack it, or compress it by gzip",
    rb"\x28\xb5\x2f\xfd": "compressed by zstd: unpack it, or compress it by gzip",
    rb"\x04\x22\x4d\x18": "compressed by lz4: unpack it, or compress it by gzip",
    rb"\x1f\x9d": "compressed by compress: unpack it, or compress it by gzip",
    rb"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it",
    rb"Rar!\x1a\x07": "a rar archive: unpack it",
    rb".{257}ustar": "a tar archive: unpack it",
    re.escape(LFS_POINTER): "a pointer of git-lfs: get the file itself by `git lfs pull`",
}

# Bytes of a line: a device, or an archive of gzip made for it, would fill the memory with one that never ends.
LONGEST: Final = 1 << 28
_LOOKED_AT: Final = 256  # lines, after which it is seen how far the file is read

Value = TypeVar("Value")


class LineError(ValueError):
    """A file or a line of it is not what it should be; the message names the file, the line and what is wrong."""


def existing_file(path: str | Path, wanted: str, *, what: str = "file", role: str = "") -> Path:
    """Give the path of a file that is there; `FileNotFoundError` or `IsADirectoryError` says what is to be named.

    wanted: what the file is to be, such as "a .jsonl file of KILT records". what: what is said not to be there. role:
    what the file is for, as in " for split 'dev'".
    """
    found = Path(path).expanduser()
    if found.is_dir():
        raise IsADirectoryError(f"{found}{role} is a folder: name {wanted}.")
    if not found.is_file():
        raise FileNotFoundError(f"there is no {what} {found}{role}: name {wanted}.")
    return found


@takes_paths
def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank with their ends, each with its number from 1, one in memory at a time.

    `LineError` if the file is packed otherwise than by gzip or of another encoding; `CorruptError` names the last good
    line of a gzip file that is damaged or cut short.
    """
    return ((number, line) for number, line in _all_lines(path) if line and not line.isspace())


@takes_paths
def decoded_lines(
    path: Path, decode: Callable[[str], Value], refused: Callable[[LineError], object] | None = None
) -> Iterator[tuple[int, Value]]:
    """Yield what is decoded of each line that is not blank, with its number from 1.

    `LineError` names the file and the line that is not UTF-8, has a NUL or half a surrogate pair, or is refused by
    `decode` with a `ValueError`; where `refused` is given, it is told instead, and reading goes on. Other errors are
    those of `numbered_lines`. Marks that files have left which were joined to one are passed over at any line's start.
    """
    return _decoded(path, numbered_lines(path), decode, refused)


def json_lines(
    path: Path,
    decode: Callable[[str], Value],
    refused: Callable[[LineError], object] | None = None,
    *,
    places: Collection[int] | None = None,
) -> Iterator[tuple[int, Value]]:
    """Do as `decoded_lines` of a file of JSON objects, one a line.

    `LineError`, once for the whole file, if it is a list of objects or its objects go over several lines. places: of
    the objects that are wanted, from 0; all if left out.
    """
    lines = _one_a_line(path, numbered_lines(path))
    wanted = lines if places is None else (line for place, line in enumerate(lines) if place in places)
    return _decoded(path, wanted, decode, refused)


def file_text(path: Path) -> str:
    """Give the whole text of a file that is read at once, such as YAML; errors as of `decoded_lines`, for gzip too."""
    with path.open("rb") as stream:
        if stream.read(2) == _GZIP:
            raise LineError(f"{path} is compressed by gzip: unpack it.")
    return "".join(text for _, text in _decoded(path, _all_lines(path), str, None))


def line_text(line: bytes) -> str:
    """Give the text of a line; `ValueError` if it is not UTF-8, has a NUL or escapes half a surrogate pair as JSON."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8: {error}. Write the file as UTF-8.") from error
    if b"\0" in line:
        raise ValueError("a NUL byte, which no text has. Write the file as UTF-8; in UTF-16 every other byte is one.")
    if (b"\\ud" in line or b"\\uD" in line) and _has_half_a_pair(text):
        raise ValueError("an escape of \\ud800 to \\udfff stands alone: no text has such a character. Leave it out.")
    return text


def _decoded(
    path: Path,
    lines: Iterator[tuple[int, bytes]],
    decode: Callable[[str], Value],
    refused: Callable[[LineError], object] | None,
) -> Iterator[tuple[int, Value]]:
    for number, line in lines:
        try:
            value = decode(line_text(line).lstrip(_MARK))
        except (ValueError, RecursionError) as error:
            wrong = LineError(f"{path}, line {number}: {error}")
            if refused is None:
                raise wrong from error
            refused(wrong)
        else:
            yield number, value


def _one_a_line(path: Path, lines: Iterator[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    first = next(lines, None)
    if first is None:
        return
    number, line = first
    wrong = _over_lines(line.removeprefix(codecs.BOM_UTF8).strip())
    if wrong:
        raise LineError(f"{path}, line {number}: {wrong} does.")
    yield first
    yield from lines


def _over_lines(first: bytes) -> str:
    """Say that a file which begins so is a list, or objects over several lines; "" if it is neither."""
    if first.startswith(b"[") and (len(first) == 1 or first[1:].lstrip().startswith(b"{")):
        return "a list: one object a line is wanted. Write each object of it in a line of its own, as jq -c '.[]'"
    if first.startswith(b"{") and first.endswith((b"{", b"[", b",")):
        return "an object over several lines: one object a line is wanted. Write each in one line, as jq -c ."
    return ""


def _has_half_a_pair(text: str) -> bool:
    try:
        json.dumps(json.loads(text), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False  # no JSON: whoever decodes it says so
    return False


def _all_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with _opened(path) as (stream, raw), working(f"read {path.name}", path.stat().st_size, "bytes") as work:
            for number, line in enumerate(_cut(stream), start=1):
                if number % _LOOKED_AT == 0:
                    work.done = raw.tell()
                if len(line) > LONGEST:
                    raise LineError(
                        f"{path}, line {number} has more than {LONGEST:,} bytes: no text has. Is it a file of lines?"
                    )
                yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CorruptError(
            f"{path} is cut short or damaged after line {number} ({error}). Fetch the file again."
        ) from error


def _cut(stream: BinaryIO) -> Iterator[bytes]:
    """Cut a stream into lines; one that is too long has a byte more than the longest, and is read no further."""
    first = stream.readline(LONGEST + 1)
    yield from [first] if first.endswith(b"\n") or len(first) > LONGEST else first.splitlines(keepends=True)
    yield from iter(functools.partial(stream.readline, LONGEST + 1), b"")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Open a file that may be gzip, unpacked and as it is.

    `LineError` if it is packed in another way or of another encoding.
    """
    if path.is_dir() or not path.exists():
        existing_file(path, "a file")  # says what is wrong
    with path.open("rb") as raw:
        zipped = raw.peek(2)[:2] == _GZIP
        _refuse_other(path, raw.peek(512))
        if not zipped:
            yield raw, raw
            return
        with gzip.GzipFile(fileobj=raw) as unpacked:
            _refuse_other(path, unpacked.peek(512), ", unpacked,")
            if unpacked.peek(2)[:2] == _GZIP:
                raise LineError(f"{path} is compressed by gzip twice: unpack it once.")
            yield cast(BinaryIO, unpacked), raw


def _refuse_other(path: Path, head: bytes, state: str = "") -> None:
    for pattern, wrong in _PACKED.items():
        if re.match(pattern, head, re.DOTALL):
            raise LineError(f"{path}{state} is {wrong}.")
    for mark, encoding in _ENCODINGS.items():
        if head.startswith(mark):
            raise LineError(f"{path}{state} is {encoding}, as its first bytes say: write it as UTF-8.")
