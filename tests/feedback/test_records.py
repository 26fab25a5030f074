from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from reml.contract.access import FeedbackHandler
from reml.contract.signals import FeedbackRecord
from reml.feedback.records import FeedbackLog
from reml.files.atomic import CorruptError, LockedError, locked
from reml.testing import FeedbackHandlerContract
from tests import ROOT

WRITE_FOREVER = """
import sys
from pathlib import Path
from tests.feedback.test_records import record
from reml.feedback.records import FeedbackLog

log = FeedbackLog(Path(sys.argv[1]))
number = 0
while True:
    log.receive(record(number))
    number += 1
"""


def record(number: int) -> FeedbackRecord:
    return FeedbackRecord(
        queries=(f"question {number}", "naïve café"),
        rows=np.array([[number, 7, 2**40], [3, -1, -1]], dtype=np.int64),
        utilities=np.array([[0.25, -1.5, 0.1], [1.0, 0.0, 0.0]], dtype=np.float32),
        judge="fid",
        versions={"retriever": "abc", "predictor": "def"},
    )


def assert_same(actual: FeedbackRecord, expected: FeedbackRecord) -> None:
    assert (actual.queries, actual.judge, actual.versions) == (expected.queries, expected.judge, expected.versions)
    assert actual.rows.dtype == np.int64
    assert actual.utilities.dtype == np.float32
    np.testing.assert_array_equal(actual.rows, expected.rows)
    np.testing.assert_array_equal(actual.utilities, expected.utilities)


def test_records_come_back_as_they_were_in_order(tmp_path: Path) -> None:
    log: FeedbackHandler = FeedbackLog(tmp_path)
    for number in range(12):
        log.receive(record(number))
    reopened = FeedbackLog(tmp_path)
    assert len(reopened) == 12
    for number, read in enumerate(reopened):
        assert_same(read, record(number))


def test_a_log_that_was_never_written_is_empty(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path / "none")
    assert (len(log), list(log)) == (0, [])


@pytest.mark.parametrize("shape", [(2, 0), (0, 3)])
def test_no_items_and_no_queries_keep_their_shape(tmp_path: Path, shape: tuple[int, int]) -> None:
    empty = FeedbackRecord(("a", "b")[: shape[0]], np.empty(shape, np.int64), np.empty(shape, np.float32), "span")
    FeedbackLog(tmp_path).receive(empty)
    (read,) = FeedbackLog(tmp_path)
    assert_same(read, empty)


def test_a_file_that_is_cut_off_is_named(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path)
    log.receive(record(0))
    (path,) = tmp_path.glob("*.arrow")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(CorruptError, match=r"00000001\.arrow cannot be read"):
        list(log)


def test_two_logs_of_one_folder_take_turns(tmp_path: Path) -> None:
    first, second = FeedbackLog(tmp_path), FeedbackLog(tmp_path)
    for number, log in enumerate([first, second, second, first]):
        log.receive(record(number))
    for number, read in enumerate(first):
        assert_same(read, record(number))


def test_a_second_writer_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(LockedError, match="another process"):
        FeedbackLog(tmp_path).receive(record(0))


def test_a_killed_writer_leaves_whole_records(tmp_path: Path) -> None:
    log = FeedbackLog(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", WRITE_FOREVER, str(tmp_path)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 60
        while len(log) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    count = len(log)
    assert count >= 5
    for number, read in enumerate(log):
        assert_same(read, record(number))
    log.receive(record(count))
    assert len(list(log)) == count + 1


class TestFeedbackLog(FeedbackHandlerContract):
    def make(self, folder: Path) -> FeedbackHandler:
        return FeedbackLog(folder / "log")

    def state(self, handler: FeedbackHandler) -> object:
        assert isinstance(handler, FeedbackLog)
        return [(kept.queries, kept.rows.tolist(), kept.utilities.tolist()) for kept in handler]
