"""KILT's records as lines of JSON: read them as `Example`, write them back without loss.

A file of records is UTF-8, one JSON object a line, plain or gzip whatever its name; it is written as gzip if its name
ends in `.gz`. Keys are written in KILT's order and non-ASCII characters escaped, as in KILT's own files, so that those
come back byte for byte. What a record leaves out stays out; an empty `output`, `provenance` or top-level `meta` counts
as left out, and so does `null`. Keys that KILT does not have are dropped; one that is
nearly one of KILT's is warned of.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any

import msgspec

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Answer, Example, Json, Provenance
from reml.files.atomic import CorruptError, atomic_file
from reml.files.lines import LineError, existing_file, json_lines
from reml.files.typed_json import Keys, MisfitError, NotJsonError, Spelling, convert_json, decode_json

WANTED = "a .jsonl or .jsonl.gz file of KILT records"


class RecordError(ValueError):
    """A record is not what KILT's format asks for; the message says where and what is wrong."""


class _Place(msgspec.Struct, gc=False):
    """In the order of the fields of `Provenance`."""

    wikipedia_id: str
    title: str | None = None
    start_paragraph_id: int | None = None
    start_character: int | None = None
    end_paragraph_id: int | None = None
    end_character: int | None = None
    bleu_score: int | float | None = None
    section: str | None = None
    text: str | None = None
    meta: dict[str, Any] | None = None


class _Output(msgspec.Struct, gc=False):
    answer: str | None = None
    provenance: list[_Place] | None = None
    meta: dict[str, Any] | None = None


class _Record(msgspec.Struct, gc=False):
    id: str
    input: str
    output: list[_Output] | None = None
    meta: dict[str, Any] | None = None


_DECODER = msgspec.json.Decoder(_Record)
_OUTPUT_DECODER = msgspec.json.Decoder(_Output)
_OUTPUT_KEYS: Keys = {**dict.fromkeys(_Output.__struct_fields__), "provenance": dict.fromkeys(_Place.__struct_fields__)}
RECORD_KEYS: Keys = {**dict.fromkeys(_Record.__struct_fields__), "output": _OUTPUT_KEYS}


def parse_record(value: Json) -> Example:
    """Make an `Example` of a decoded record; `RecordError` names the key that is missing or of the wrong type."""
    try:
        return _example(convert_json(value, _Record, "the record"))
    except MisfitError as error:
        raise RecordError(str(error)) from error


def decode_record(text: str) -> Example:
    """Make an `Example` of a line; `RecordError` says that it is not JSON or what of it is missing or wrong."""
    try:
        return _example(decode_json(text, _DECODER, "the record"))
    except (MisfitError, NotJsonError) as error:
        raise RecordError(str(error)) from error


def format_record(example: Example) -> Json:
    """Make the record of an example, keys in KILT's order."""
    record: dict[str, Json] = {"id": example.id, "input": example.input}
    if example.meta:
        record["meta"] = example.meta
    if example.output:
        record["output"] = [format_answer(answer) for answer in example.output]
    return record


def decode_answer(text: str) -> Answer:
    """Make an answer of an output as JSON; `RecordError` says what of it is missing or wrong."""
    try:
        return _answer(decode_json(text, _OUTPUT_DECODER, "the output"))
    except (MisfitError, NotJsonError) as error:
        raise RecordError(str(error)) from error


@takes_paths
def read_examples(path: Path, limit: int | None = None) -> Iterator[Example]:
    """Stream the records of a file, plain or gzip, the first `limit` of them if given.

    Raises `FileNotFoundError` or `IsADirectoryError` if there is no such file, and `RecordError`, naming file and line,
    at the first line that is not a KILT record or whose id is empty or an earlier line's, or if there is no record.
    """
    return islice(_stream(existing_file(path, WANTED)), limit)


@takes_paths
def read_chosen(path: Path, places: Collection[int]) -> Iterator[Example]:
    """Stream the records at some places, from 0, of a file that `read_examples` has read; others are not decoded.

    Raises `RecordError` as that does, of the records that are given.
    """
    try:
        for _, example in json_lines(path, decode_record, places=places):
            yield example
    except (LineError, CorruptError) as error:
        raise RecordError(str(error)) from error


@takes_paths
def write_examples(examples: Iterable[Example], path: Path) -> None:
    """Write one record a line, compressed if the name ends in `.gz`; the file is whole or not there.

    The same examples give the same bytes: a compressed file holds no date.
    """
    with atomic_file(path) as draft, draft.open("wb") as raw, _compressed(raw, path) as binary:
        for example in examples:
            binary.write(json.dumps(format_record(example)).encode() + b"\n")


def _stream(path: Path) -> Iterator[Example]:
    lines_by_id: dict[str, int] = {}
    for number, example in _decoded(path):
        if not example.id.strip():
            raise RecordError(f"{path}, line {number}: the id is empty. Give each record an id of its own.")
        if example.id in lines_by_id:
            raise RecordError(
                f"{path}, line {number}: id {example.id!r} is that of line {lines_by_id[example.id]} already. "
                "Give each record an id of its own."
            )
        lines_by_id[example.id] = number
        yield example
    if not lines_by_id:
        raise RecordError(f"{path} is empty: name {WANTED}.")


def _decoded(path: Path) -> Iterator[tuple[int, Example]]:
    spelling = Spelling(path, RECORD_KEYS)
    try:
        for number, example in json_lines(path, spelling.watching(decode_record)):
            spelling.say(number)
            yield number, example
    except (LineError, CorruptError) as error:
        raise RecordError(str(error)) from error


@contextlib.contextmanager
def _compressed(raw: IO[bytes], path: Path) -> Iterator[IO[bytes]]:
    if path.suffix != ".gz":
        yield raw
        return
    with gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as binary, io.BufferedWriter(binary) as buffered:
        yield buffered


def _example(record: _Record) -> Example:
    return Example(record.id, record.input, tuple(map(_answer, record.output or ())), record.meta or {})


def _answer(output: _Output) -> Answer:
    places = tuple([Provenance(*msgspec.structs.astuple(place)) for place in output.provenance or ()])
    return Answer(output.answer, places, output.meta)


def format_answer(answer: Answer) -> Json:
    """Make the output of a record, keys in KILT's order."""
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
