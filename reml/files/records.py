"""KILT's records as lines of JSON: read them as `Example`, write them back without loss.

A file of records is UTF-8, one JSON object a line, gzip if its name ends in `.gz`. Keys are written in KILT's order and
non-ASCII characters escaped, as in KILT's own files, so that those come back byte for byte. What a record leaves out
stays out; an empty `output`, `provenance` or top-level `meta` counts as left out, and so does `null`. Keys that KILT
does not have are dropped.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO

from reml.contract.examples import Answer, Example, Json, Provenance
from reml.files.atomic import atomic_file


class RecordError(ValueError):
    """A record is not what KILT's format asks for; the message says where and what is wrong."""


def parse_record(value: Json) -> Example:
    """Make an `Example` of a decoded record; `RecordError` names the key that is missing or of the wrong type."""
    record = _object(value, "the record")
    return Example(
        id=_required_string(record, "id", "the record"),
        input=_required_string(record, "input", "the record"),
        output=tuple(
            _parse_answer(output, f"output[{number}]")
            for number, output in enumerate(_list(record.get("output"), "output"))
        ),
        meta=_optional_object(record, "meta", "the record") or {},
    )


def format_record(example: Example) -> Json:
    """Make the record of an example, keys in KILT's order."""
    record: dict[str, Json] = {"id": example.id, "input": example.input}
    if example.meta:
        record["meta"] = example.meta
    if example.output:
        record["output"] = [_format_answer(answer) for answer in example.output]
    return record


def read_examples(path: Path, limit: int | None = None) -> Iterator[Example]:
    """Stream the records of a `.jsonl` or `.jsonl.gz` file, the first `limit` of them if given.

    Raises `FileNotFoundError` if there is no such file, and `RecordError`, naming file and line, at the first line that
    is not a KILT record or whose id an earlier line has.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {path}. Give the path of a .jsonl or .jsonl.gz file of KILT records."
        )
    return islice(_stream(path), limit)


def write_examples(examples: Iterable[Example], path: Path) -> None:
    """Write one record a line, compressed if the name ends in `.gz`; the file is whole or not there.

    The same examples give the same bytes: a compressed file holds no date.
    """
    with atomic_file(path) as draft, draft.open("wb") as raw, _compressed(raw, path) as binary:
        for example in examples:
            binary.write(json.dumps(format_record(example)).encode() + b"\n")


def _stream(path: Path) -> Iterator[Example]:
    lines_by_id: dict[str, int] = {}
    for number, line in _lines(path):
        try:
            example = parse_record(json.loads(line))
        except (json.JSONDecodeError, RecursionError) as error:
            raise RecordError(f"{path}, line {number} is not JSON: {error}.") from error
        except RecordError as error:
            raise RecordError(f"{path}, line {number}: {error}") from error
        if example.id in lines_by_id:
            raise RecordError(
                f"{path}, line {number}: id {example.id!r} is that of line {lines_by_id[example.id]} already. "
                "Give each record an id of its own."
            )
        lines_by_id[example.id] = number
        yield example


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    with opener(path, "rt", encoding="utf-8") as stream:
        try:
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield number, line
        except (gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
            kind = "gzip" if path.suffix == ".gz" else "UTF-8"
            raise RecordError(f"{path} is not readable {kind} after line {number}: {error}. Get it anew.") from error


@contextlib.contextmanager
def _compressed(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield raw
        return
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as binary, io.BufferedWriter(binary) as buffered:
        yield buffered


def _parse_answer(value: Json, place: str) -> Answer:
    output = _object(value, place)
    return Answer(
        text=_optional_string(output, "answer", place),
        provenance=tuple(
            _parse_provenance(item, f"{place}.provenance[{number}]")
            for number, item in enumerate(_list(output.get("provenance"), f"{place}.provenance"))
        ),
        meta=_optional_object(output, "meta", place),
    )


def _parse_provenance(value: Json, place: str) -> Provenance:
    item = _object(value, place)
    return Provenance(
        wikipedia_id=_required_string(item, "wikipedia_id", place),
        title=_optional_string(item, "title", place),
        start_paragraph_id=_optional_integer(item, "start_paragraph_id", place),
        start_character=_optional_integer(item, "start_character", place),
        end_paragraph_id=_optional_integer(item, "end_paragraph_id", place),
        end_character=_optional_integer(item, "end_character", place),
        bleu_score=_optional_number(item, "bleu_score", place),
        section=_optional_string(item, "section", place),
        text=_optional_string(item, "text", place),
        meta=_optional_object(item, "meta", place),
    )


def _format_answer(answer: Answer) -> Json:
    output: dict[str, Json] = {}
    if answer.text is not None:
        output["answer"] = answer.text
    if answer.provenance:
        output["provenance"] = [_format_provenance(item) for item in answer.provenance]
    if answer.meta is not None:
        output["meta"] = answer.meta
    return output


def _format_provenance(item: Provenance) -> Json:
    values: dict[str, Json] = {
        "wikipedia_id": item.wikipedia_id,
        "title": item.title,
        "start_paragraph_id": item.start_paragraph_id,
        "start_character": item.start_character,
        "end_paragraph_id": item.end_paragraph_id,
        "end_character": item.end_character,
        "bleu_score": item.bleu_score,
        "section": item.section,
        "text": item.text,
        "meta": item.meta,
    }
    return {key: value for key, value in values.items() if value is not None}


def _object(value: Json, place: str) -> Mapping[str, Json]:
    if not isinstance(value, Mapping):
        raise RecordError(f"{place} must be an object, not {_shown(value)}.")
    return value


def _list(value: Json, place: str) -> Sequence[Json]:
    if value is None:
        return ()
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise RecordError(f"{place} must be a list, not {_shown(value)}.")
    return value


def _required_string(record: Mapping[str, Json], key: str, place: str) -> str:
    value = _optional_string(record, key, place)
    if value is None:
        raise RecordError(f"{place} has no {key!r}; its keys are {sorted(record)}.")
    return value


def _optional_string(record: Mapping[str, Json], key: str, place: str) -> str | None:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise RecordError(f"{key!r} of {place} must be a string, not {_shown(value)}.")
    return value


def _optional_integer(record: Mapping[str, Json], key: str, place: str) -> int | None:
    value = record.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise RecordError(f"{key!r} of {place} must be an integer, not {_shown(value)}.")
    return value


def _optional_number(record: Mapping[str, Json], key: str, place: str) -> float | None:
    value = record.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise RecordError(f"{key!r} of {place} must be a number, not {_shown(value)}.")
    return value


def _optional_object(record: Mapping[str, Json], key: str, place: str) -> Mapping[str, Json] | None:
    value = record.get(key)
    return None if value is None else _object(value, f"{key!r} of {place}")


def _shown(value: Json) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
