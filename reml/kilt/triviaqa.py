"""TriviaQA's questions, which KILT leaves out: joined from TriviaQA's own archive by the ids of the questions.

As KILT prescribes (scripts/get_triviaqa_input.py), the questions of all three Wikipedia files of the archive are taken,
whichever split an id is in there. They are read as a stream; the archive is not unpacked.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from reml.contract.examples import Json
from reml.files.atomic import CorruptError, atomic_file
from reml.files.fetching.archives import read_members
from reml.files.lines import numbered_lines

MEMBERS = ("qa/wikipedia-train.json", "qa/wikipedia-dev.json", "qa/wikipedia-test-without-answers.json")
_LIST = re.compile(r'"Data"\s*:\s*\[')
_BETWEEN = re.compile(r"[\s,]*")
_PIECE = 1 << 20


def read_questions(archive: Path) -> dict[str, str]:
    """Give the question of each id; `CorruptError` if the archive is not TriviaQA's or an id has two questions."""
    questions: dict[str, str] = {}
    for name, stream in read_members(archive, MEMBERS):
        for element in _elements(stream, f"{name} of {archive}"):
            match element:
                case {"QuestionId": str(identifier), "Question": str(question)}:
                    if questions.setdefault(identifier, question) != question:
                        raise CorruptError(f"{name} of {archive} has a second question for id {identifier!r}.")
                case _:
                    raise CorruptError(f"{name} of {archive} has an element without QuestionId and Question.")
    return questions


def join_questions(records: Path, archive: Path, target: Path) -> Path:
    """Write the records to `target` with the question as input, all else as it was; give `target`.

    `CorruptError` counts the ids that have no question.
    """
    questions, missing = read_questions(archive), 0
    with atomic_file(target) as draft:
        with draft.open("wb") as joined:
            for number, line in numbered_lines(records):
                record = _record(line, f"{records}, line {number}")
                question = questions.get(str(record["id"]))
                missing += question is None
                rest = {key: value for key, value in record.items() if key not in ("id", "input")}
                joined.write(json.dumps({"id": record["id"], "input": question, **rest}).encode() + b"\n")
        if missing:
            raise CorruptError(f"{missing:,} questions of {records} are not in {archive}. Delete both and try again.")
    return target


def _record(line: bytes, place: str) -> Mapping[str, Json]:
    try:
        record: Json = json.loads(line)
    except ValueError as error:
        raise CorruptError(f"{place} is not JSON ({error}). Delete the file and fetch it again.") from error
    if not isinstance(record, dict) or "id" not in record:
        raise CorruptError(f"{place} has no id. Delete the file and fetch it again.")
    return record


def _elements(stream: IO[bytes], place: str) -> Iterator[Json]:
    """Yield the elements of the list `Data`, decoded one by one: whole, such a file takes a gigabyte."""
    text, decoder = codecs.getreader("utf-8")(stream), json.JSONDecoder()
    buffer = text.read(_PIECE)
    start = _LIST.search(buffer)
    if start is None:
        raise CorruptError(f"{place} does not begin with a list `Data`.")
    position = start.end()
    while True:
        position = _end_of(_BETWEEN, buffer, position)
        if buffer[position : position + 1] == "]":
            return
        try:
            element, position = decoder.raw_decode(buffer, position)
            yield element
        except json.JSONDecodeError as error:
            piece = text.read(_PIECE)
            if not piece:
                raise CorruptError(f"{place} is cut short or damaged ({error}).") from error
            buffer, position = buffer[position:] + piece, 0


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position
