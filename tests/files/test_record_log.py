"""A log whose last good record is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.contract.examples import Json
from reml.files.atomic import CorruptError
from reml.files.record_log import RecordLog

RECORDS: list[Json] = [{"text": "né\n"}, {"scores": [1.5, float("-inf")]}, {}]


@pytest.fixture
def log(tmp_path: Path) -> RecordLog:
    log = RecordLog(tmp_path / "some" / "log.jsonl")
    assert log.read() == []
    for record in RECORDS:
        log.append(record)
    return log


def test_gives_what_was_appended(log: RecordLog) -> None:
    assert RecordLog(log.path).read() == RECORDS


def test_a_record_cut_anywhere_is_left_out_and_the_log_goes_on(log: RecordLog) -> None:
    whole = log.path.read_bytes()
    second = whole.index(b"\n", whole.index(b"\n") + 1) + 1
    for cut in range(second, len(whole)):
        log.path.write_bytes(whole[:cut])
        assert log.read() == RECORDS[:2]
        log.append(RECORDS[2])
        assert log.path.read_bytes() == whole


def test_a_last_record_that_is_not_what_was_written_is_left_out_too(log: RecordLog) -> None:
    log.path.write_bytes(log.path.read_bytes()[:-3] + b"\0\0\n")
    assert log.read() == RECORDS[:2]


def test_a_damaged_line_before_the_last_is_named(log: RecordLog) -> None:
    log.path.write_bytes(log.path.read_bytes().replace(b"text", b"test"))
    with pytest.raises(CorruptError, match=r"log.jsonl, line 1: it is not what was written"):
        log.read()
