"""A run of an experiment that meets a full disk, one that fails, or too many open files: the next run is right."""

from __future__ import annotations

import errno
import functools
import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest

import reml
from tests.experiment.test_run import QUIET, small
from tests.faulty.failing import Fault, counting
from tests.faulty.scenarios import Scenario
from tests.files.test_faults import check, sampled
from tests.small_experiment import write_experiment

FAULTS = [("write", errno.ENOSPC), ("fsync", errno.EIO), ("rename", errno.EIO), ("open", errno.EMFILE)]


def _begin(folder: Path) -> None:
    write_experiment(folder / "experiment")


def _run(folder: Path) -> None:
    reml.run(small(folder / "experiment"), folder / "home", QUIET)


def _metrics(folder: Path) -> object:
    found = sorted((folder / "home" / "runs").glob("*/metrics.json"))
    return [json.loads(path.read_text()) for path in found]


RUN = Scenario(_begin, _run, _metrics)


@functools.cache
def undisturbed() -> tuple[list[object], Counter[str]]:
    with tempfile.TemporaryDirectory() as base:
        _begin(Path(base))
        with counting(Path(base, "home")) as seen:
            _run(Path(base))
        return [[], _metrics(Path(base))], seen


@pytest.mark.parametrize("most", [pytest.param(3, id="some"), pytest.param(1 << 30, id="all", marks=pytest.mark.slow)])
@pytest.mark.parametrize(("kind", "error"), FAULTS, ids=[f"{kind} {errno.errorcode[error]}" for kind, error in FAULTS])
def test_the_next_run_of_an_experiment_is_right(kind: str, error: int, most: int, tmp_path: Path) -> None:
    seen, counted = undisturbed()
    assert counted[kind] > 20
    for number in sampled(counted[kind], most):
        check(RUN, tmp_path / f"f{number}", Fault(kind, number, error), seen, below="home")
