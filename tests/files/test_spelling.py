"""A key of a record that is nearly one of KILT's is said with its line; other keys are passed over without a word."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reml.evaluation.kilt_files import evaluate_files
from reml.evaluation.problems import InvalidFilesError
from reml.files.records import RecordError, read_examples

PLACE: dict[str, Any] = {"wikipedia_id": "1", "title": "Peru"}
OUTPUT: dict[str, Any] = {"answer": "Lima", "provenance": [PLACE]}
RECORD: dict[str, Any] = {"id": "q", "input": "Capital of Peru?", "output": [OUTPUT]}


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def renamed(level: str, key: str, other: str) -> dict[str, Any]:
    """The record with another name for a key."""
    levels = {"record": RECORD, "output": OUTPUT, "place": PLACE}
    changed = {other if name == key else name: value for name, value in levels[level].items()}
    place = changed if level == "place" else PLACE
    output = changed if level == "output" else {**OUTPUT, "provenance": [place]}
    return changed if level == "record" else {**RECORD, "output": [output]}


PASSED_OVER = [
    ("record", "output", "ouput"),
    ("record", "output", "outputs"),
    ("record", "output", "Output"),
    ("output", "answer", "awnser"),
    ("output", "answer", "answers"),
    ("output", "provenance", "provenence"),
    ("output", "provenance", "provenances"),
    ("output", "provenance", "Provenance"),
    ("place", "title", "titel"),
    ("place", "title", "tilte"),
]
REFUSED = [
    ("record", "id", "ID"),
    ("record", "input", "inputs"),
    ("record", "input", "imput"),
    ("place", "wikipedia_id", "wikpedia_id"),
    ("place", "wikipedia_id", "wikipediaId"),
]


@pytest.mark.parametrize(("level", "key", "other"), PASSED_OVER)
def test_a_misspelt_key_is_said_once(
    level: str, key: str, other: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = renamed(level, key, other)
    path = write(tmp_path / "q.jsonl", RECORD | {"id": "a"}, wrong | {"id": "b"}, wrong | {"id": "c"})
    assert len(list(read_examples(path))) == 3
    assert caplog.messages == [
        f"{path}, line 2: the key {other!r} is passed over; did you mean {key!r}? Rename it if so."
    ]


@pytest.mark.parametrize(("level", "key", "other"), REFUSED)
def test_a_key_that_is_missed_is_said_with_what_may_be_it(level: str, key: str, other: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=rf"line 1: .*; is '{other}' meant to be '{key}'\?$"):
        list(read_examples(write(tmp_path / "q.jsonl", renamed(level, key, other))))


def test_keys_that_are_no_misspellings_are_passed_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = PLACE | {"wikipedia_title": "Peru", "start_paragraph": 1, "start_paragraph_id": 1, "score": 2.0}
    record = {**RECORD, "_id": "x", "question": "?", "output": [{**OUTPUT, "provenance": [place], "anwer": "Lima"}]}
    record |= {"candidates": [{"titel": 1}], "meta": {"ouput": 1, "awnser": 2}}
    assert len(list(read_examples(write(tmp_path / "q.jsonl", record)))) == 1
    assert caplog.messages == []


def test_predictions_are_looked_at_too(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gold = write(tmp_path / "gold.jsonl", RECORD)
    guess = write(tmp_path / "guess.jsonl", renamed("output", "provenance", "provenence"))
    assert evaluate_files(gold, guess).mean("Rprec") == 0
    assert caplog.messages == [
        f"{guess}, line 1: the key 'provenence' is passed over; did you mean 'provenance'? Rename it if so."
    ]
    write(guess, renamed("output", "answer", "awnser"))
    with pytest.raises(InvalidFilesError, match="is 'awnser' meant to be 'answer'"):
        evaluate_files(gold, guess)
