"""Whatever is wrong with files, collected so that it can be told at once; and files that are of another kind."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import CorruptError
from reml.files.lines import LineError, decoded_lines

_SHOWN = 20
_LOOKED_AT = 5
QUESTIONS = "questions without answers, as KILT's test files do"
# What files are whose first line looks so.
_OF_LINES = {
    r"\S+\s+Q0\s+\S+\s+\d+\s+\S+(\s+\S+)?": "a run in TREC's format: score it by `reml measure --run`",
    r"\S+\s+\S+\s+\S+\s+-?\d+": "judgements in TREC's format: they are for `reml measure --relevance`",
    r"[^\t{]+\t[^\t]+\t(-?\d+|score)": "judgements in BEIR's format: they are for `reml measure --relevance`",
    r"<.*": "HTML or XML",
    r"(---|(- )*[\w.-]+:(\s.*)?|- .*|#.*)": "YAML, such as settings",
}


class InvalidFilesError(ValueError):
    """Files cannot be used; the message lists the first problems and says how many there are."""

    def __init__(self, problems: Sequence[str], count: int) -> None:
        more = f"\n  ... and {count - len(problems)} more" if count > len(problems) else ""
        noun = "problem" if count == 1 else "problems"
        super().__init__(f"{count} {noun} with the files:\n  " + "\n  ".join(problems) + more)
        self.count = count


class Problems:
    """Counts problems and keeps the first ones: a file with a million of them fills no memory."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.count = 0

    def add(self, problem: str) -> None:
        """Take note of a problem."""
        self.count += 1
        if len(self.first) < _SHOWN:
            self.first.append(problem)

    def raise_any(self) -> None:
        """Raise `InvalidFilesError` if there were problems."""
        if self.count:
            raise InvalidFilesError(self.first, self.count)


def says_missing(missing: Sequence[str], count: int, where: str) -> str:
    """Say which ids have no prediction, and of several how many of all that there are. where: they are."""
    if len(missing) == 1:
        return f"no prediction for id {missing[0]!r}"
    return f"{len(missing):,} of {count:,} ids of {where} have no prediction; the first: {missing[0]!r}"


def other_kind(path: Path, most: int | None = _LOOKED_AT) -> str | None:
    """Say what a file holds by its first lines, if all of them are no records of KILT's; nothing if some may be.

    most: how many lines are looked at, or all of them.
    """
    try:
        kinds = {_kind(line.strip()) for _, line in islice(decoded_lines(path, str), most)}
    except (LineError, CorruptError, OSError):  # said when the file is read
        return None
    return kinds.pop() if len(kinds) == 1 else None


def _kind(line: str) -> str | None:
    try:
        return _of_record(json.loads(line))
    except (ValueError, RecursionError):
        return next((kind for pattern, kind in _OF_LINES.items() if re.fullmatch(pattern, line)), None)


def says_id(line: str) -> str:
    """Give the id that a record says it has, however wrong the rest of it is; "" if none can be told."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return ""
    found = record.get("id") if isinstance(record, dict) else None
    return str(found).strip() if isinstance(found, str | int) else ""


def _of_record(record: Json) -> str | None:
    if not isinstance(record, dict) or "output" in record:
        return None
    if "wikipedia_title" in record or isinstance(record.get("text"), list):
        return "pages: they are a knowledge source"
    if "text" in record and not {"input", "id"} <= set(record):
        return "texts of a corpus, or queries"
    if {"id", "input"} <= set(record):
        return QUESTIONS
    return None
