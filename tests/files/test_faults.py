"""A disk that is full, that fails, too many open files: at every call, nothing is lost and what is said is true."""

from __future__ import annotations

import errno
import functools
import gc
import os
import re
import resource
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from reml.cli.failures import told
from reml.files.replacing.drafts import is_draft
from tests.faulty.calls import watched
from tests.faulty.failing import Fault, counting, failing
from tests.faulty.scenarios import SCENARIOS, Scenario

FAULTS = [
    ("write", errno.ENOSPC),
    ("write", errno.EIO),
    ("fsync", errno.EIO),
    ("rename", errno.EIO),
    ("rename", errno.ENOSPC),
    ("open", errno.EMFILE),
    ("open", errno.EIO),
    ("mkdir", errno.ENOSPC),
    ("fallocate", errno.ENOSPC),
]
SAID = {errno.ENOSPC: "No space left on device", errno.EIO: "Input/output error", errno.EMFILE: "ther files"}
SAMPLED = 4


def states(scenario: Scenario, folder: Path) -> list[object]:
    """Give the states there are before the work and after it, and each that can be seen between two calls."""
    folder.mkdir()
    scenario.begin(folder)
    seen = [scenario.state(folder)]
    looking = False

    def look(kind: str, path: str | None) -> None:
        nonlocal looking
        if not looking and kind in {"fsync", "rename"}:
            looking = True
            if (state := scenario.state(folder)) not in seen:
                seen.append(state)
            looking = False

    with watched(folder, look):
        scenario.work(folder)
    return [*seen, scenario.state(folder)]


@functools.cache
def undisturbed(name: str) -> tuple[list[object], Counter[str]]:
    """Give the states of a scenario, and how many calls of each kind its work makes."""
    scenario = SCENARIOS[name]
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base, "counted")
        folder.mkdir()
        scenario.begin(folder)
        with counting(folder) as seen:
            scenario.work(folder)
        return states(scenario, Path(base, "states")), seen


def check(scenario: Scenario, folder: Path, fault: Fault, seen: list[object], below: str = "") -> bool:
    """Let one call fail, for a file below a folder in this one; tell whether the work failed."""
    folder.mkdir()
    scenario.begin(folder)
    said = ""
    with failing(folder / below, fault):
        try:
            scenario.work(folder)
        except Exception as error:
            said = told(error, [])[0]
    where = f"{fault.kind} {fault.number}: {said}"
    assert scenario.state(folder) in seen, where
    left = [path for path in folder.rglob(".*") if is_draft(path.name)]
    assert not left, where
    if said:
        assert SAID[fault.error] in said, where
        assert str(folder) in said, where
        assert not re.search(r"\b[Dd]elete\b", said), where
        assert "damaged" not in said, where
    scenario.work(folder)
    assert scenario.state(folder) == seen[-1], where
    return bool(said)


def sampled(count: int, most: int) -> list[int]:
    return sorted({*np.linspace(1, count, min(count, most)).round().astype(int).tolist()}) if count else []


@pytest.mark.parametrize(
    "most", [pytest.param(SAMPLED, id="some"), pytest.param(1 << 30, id="all", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize(("kind", "error"), FAULTS, ids=[f"{kind} {errno.errorcode[error]}" for kind, error in FAULTS])
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_call_that_fails_loses_nothing_and_is_said(
    name: str, kind: str, error: int, lasting: bool, most: int, tmp_path: Path
) -> None:
    if lasting and kind == "open":
        pytest.skip("without a single file nothing can be removed either; see the test with a real limit")
    scenario = SCENARIOS[name]
    seen, counted = undisturbed(name)
    numbers = sampled(counted[kind], most)
    if kind in {"write", "fsync", "rename", "open"}:
        assert numbers, "the work makes such calls, or this test sees none of them"
    failed = [check(scenario, tmp_path / f"f{number}", Fault(kind, number, error, lasting), seen) for number in numbers]
    assert any(failed) or not numbers


@pytest.mark.parametrize("name", SCENARIOS)
def test_so_few_files_may_be_open_that_the_work_cannot_be_done(
    name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    scenario = SCENARIOS[name]
    seen, _ = undisturbed(name)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest, failed = _without_holes(request), []
    for more in range(1, 7):
        folder = tmp_path / str(more)
        folder.mkdir()
        scenario.begin(folder)
        said = ""
        resource.setrlimit(resource.RLIMIT_NOFILE, (highest + more, hard))
        try:
            scenario.work(folder)
        except Exception as error:
            said = repr(error)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        failed.append(bool(said))
        assert scenario.state(folder) in seen, said
        assert not said or "Too many open files" in said
        assert not re.search(r"\b[Dd]elete\b", said)
        assert not [path for path in folder.rglob(".*") if is_draft(path.name)] or more < 4, said
        scenario.work(folder)
        assert scenario.state(folder) == seen[-1]
    assert failed[0]


def _without_holes(request: pytest.FixtureRequest) -> int:
    """Take all numbers of open files below the highest, which is given: a limit then leaves none of them.

    Garbage that still holds a file would give its number back in the middle of the work.
    """
    gc.collect()
    highest = max(int(one.name) for one in Path("/proc/self/fd").iterdir())
    while (number := os.open(os.devnull, os.O_RDONLY)) <= highest:
        request.addfinalizer(functools.partial(os.close, number))
    os.close(number)
    return highest
