from __future__ import annotations

import os
import time
from functools import partial
from pathlib import Path

import pytest

from reml.benchmarks.speed.isolation import FailedError, run_isolated


def whose() -> int:
    return os.getpid()


def fall(text: str) -> None:
    raise KeyError(text)


def test_work_has_a_process_of_its_own(tmp_path: Path) -> None:
    assert run_isolated(whose, seconds=60, log=tmp_path / "log") != os.getpid()


def test_work_that_fails_is_told_by_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match=r"status 1: KeyError: 'the roof'"):
        run_isolated(partial(fall, "the roof"), seconds=60, log=tmp_path / "log")


def test_work_that_dies_is_told_by_its_status(tmp_path: Path) -> None:
    with pytest.raises(FailedError, match="status 7: it said nothing"):
        run_isolated(partial(os._exit, 7), seconds=60, log=tmp_path / "log")


def test_work_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(FailedError, match=r"stopped after 0 s"):
        run_isolated(partial(time.sleep, 600), seconds=0.1, log=tmp_path / "log")
    assert time.monotonic() - started < 300
