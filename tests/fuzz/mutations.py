"""What goes wrong with files on their way: each mutation makes other bytes of right ones and says what must follow."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Follows(Enum):
    """What the command must do with the mutated file."""

    SAME = "the same output as with the right file"
    REFUSED = "exit status 2 and a message that names the file"
    EITHER = "an answer or a refusal"


@dataclass(frozen=True, slots=True)
class Mutation:
    """make: gives the mutated bytes, or nothing where the file has no place for it."""

    name: str
    make: Callable[[bytes, random.Random], bytes | None]
    follows: Follows = Follows.EITHER


def _zipped(whole: bytes, _: random.Random) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("inside", whole)
    return stream.getvalue()


def _lines(change: Callable[[list[bytes], random.Random], list[bytes]]) -> Callable[[bytes, random.Random], bytes]:
    return lambda whole, chance: b"".join(change(whole.splitlines(keepends=True), chance))


def _without_a_line(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    return lines[:place] + lines[place + 1 :]


def _with_a_line_twice(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    return lines[: place + 1] + lines[place:]


def _in_another_order(lines: list[bytes], chance: random.Random) -> list[bytes]:
    return chance.sample(lines, len(lines))


def _with_a_blank_line(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    return [*lines[:place], b"\n", *lines[place:]]


def _with_two_lines_joined(lines: list[bytes], chance: random.Random) -> list[bytes]:
    place = chance.randrange(len(lines))
    return [*lines[:place], lines[place].rstrip(b"\r\n"), *lines[place + 1 :]]


def _flipped(whole: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(whole))
    return whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :]


def _with(pieces: list[bytes]) -> Callable[[bytes, random.Random], bytes]:
    """Put one of the pieces somewhere."""

    def put(whole: bytes, chance: random.Random) -> bytes:
        place = chance.randrange(len(whole) + 1)
        return whole[:place] + chance.choice(pieces) + whole[place:]

    return put


def _cut(whole: bytes, chance: random.Random) -> bytes:
    return whole[: chance.randrange(1, len(whole))]


def _without_some(whole: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(whole))
    return whole[:start] + whole[start + chance.randrange(1, 20) :]


def _repeated(whole: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(whole))
    piece = whole[start : start + chance.randrange(1, 40)]
    return whole[:start] + piece * chance.choice([2, 3, 2000]) + whole[start:]


def _with_another_number(whole: bytes, chance: random.Random) -> bytes | None:
    places = [place for place, byte in enumerate(whole) if chr(byte).isdigit()]
    if not places:
        return None
    place = chance.choice(places)
    return whole[:place] + chance.choice([b"-1", b"0", b"99999999999999999999", b"1e999", b"nan"]) + whole[place + 1 :]


ANY_FILE = (
    Mutation("byte order mark", lambda whole, _: b"\xef\xbb\xbf" + whole, Follows.SAME),
    Mutation("line ends of Windows", lambda whole, _: whole.replace(b"\n", b"\r\n"), Follows.SAME),
    Mutation("no last line end", lambda whole, _: whole.rstrip(b"\n"), Follows.SAME),
    Mutation("blank lines at the end", lambda whole, _: whole + b"\n\n", Follows.SAME),
    Mutation("UTF-16", lambda whole, _: whole.decode().encode("utf-16"), Follows.REFUSED),
    Mutation("UTF-32", lambda whole, _: whole.decode().encode("utf-32"), Follows.REFUSED),
    Mutation("no UTF-8", lambda whole, _: whole.rstrip(b"\n") + b"\xff\n", Follows.REFUSED),
    Mutation("empty", lambda _whole, _: b"", Follows.REFUSED),
    Mutation("a flipped bit", _flipped),
    Mutation("cut", _cut),
    Mutation("a gap", _without_some),
    Mutation("a piece again and again", _repeated),
    Mutation("another number", _with_another_number),
    Mutation("a byte that is no text", _with([b"\x00", b"\xff", b"\xc3", b"\x1b[31m", b"\x7f"])),
    Mutation(
        "a sign of another script", _with([text.encode() for text in ("é", "e\u0301", "\u2028", "\U0001f600", "字")])
    ),
    Mutation(
        "a sign of the format", _with([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\t", b" ", b"\n", b"%"])
    ),
    Mutation("a line lost", _lines(_without_a_line)),
    Mutation("a line twice", _lines(_with_a_line_twice)),
    Mutation("lines in another order", _lines(_in_another_order)),
    Mutation("two lines in one", _lines(_with_two_lines_joined)),
)

DATA_FILE = (
    *ANY_FILE,
    Mutation("gzip", lambda whole, _: gzip.compress(whole), Follows.SAME),
    Mutation("gzip, cut", lambda whole, _: gzip.compress(whole)[:-9], Follows.REFUSED),
    Mutation("bzip2", lambda whole, _: bz2.compress(whole), Follows.REFUSED),
    Mutation("zip", _zipped, Follows.REFUSED),
    Mutation("a blank line", _lines(_with_a_blank_line), Follows.SAME),
)


def _record(change: Callable[[dict[str, object], random.Random], str]) -> Callable[[bytes, random.Random], bytes]:
    """Change one JSON line."""

    def make(whole: bytes, chance: random.Random) -> bytes:
        lines = whole.decode().splitlines()
        place = chance.randrange(len(lines))
        lines[place] = change(json.loads(lines[place]), chance)
        return ("\n".join(lines) + "\n").encode()

    return make


def _with_a_key_twice(record: dict[str, object], chance: random.Random) -> str:
    key = chance.choice(list(record))
    return f"{{{json.dumps(key)}: {json.dumps(record[key])}, {json.dumps(record)[1:]}"


def _with_half_a_pair(record: dict[str, object], _: random.Random) -> str:
    key = next(name for name, value in record.items() if isinstance(value, str))
    return json.dumps(record | {key: "\ud83d half a sign"})


def _with_another_value(record: dict[str, object], chance: random.Random) -> str:
    """Put a value of another type somewhere in the record, at any depth."""
    places: list[tuple[dict[str, object] | list[object], str | int]] = []
    todo: list[object] = [record]
    while todo:
        part = todo.pop()
        if isinstance(part, dict | list):
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            places += [(part, key) for key in keys]
            todo += [part[key] for key in keys]
    part, key = chance.choice(places)
    odd = chance.choice(["null", "true", "-7", "1e999", "[]", "{}", '""', '"\\ud800"', "[" * 3000 + "]" * 3000, '" "'])
    part[key] = "\0here\0"  # type: ignore[index]
    return json.dumps(record).replace('"\\u0000here\\u0000"', odd)


JSON_LINES = (
    *DATA_FILE,
    Mutation(
        "one JSON array",
        lambda whole, _: json.dumps([json.loads(line) for line in whole.splitlines()]).encode(),
        Follows.REFUSED,
    ),
    Mutation(
        "indented JSON",
        lambda whole, _: b"\n".join(json.dumps(json.loads(line), indent=1).encode() for line in whole.splitlines()),
        Follows.REFUSED,
    ),
    Mutation("a key twice", _record(_with_a_key_twice), Follows.REFUSED),
    Mutation("half a surrogate pair", _record(_with_half_a_pair), Follows.REFUSED),
    Mutation("no object", _record(lambda record, _: json.dumps(list(record))), Follows.REFUSED),
    Mutation(
        "NaN",
        _record(lambda record, _: json.dumps(record | {"id": float("nan"), "_id": float("nan")})),
        Follows.REFUSED,
    ),
    Mutation("quotes of Python", _record(lambda record, _: repr(record)), Follows.REFUSED),
    Mutation("another value", _record(_with_another_value)),
)
