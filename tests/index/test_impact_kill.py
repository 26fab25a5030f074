from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reml.files.atomic import MANIFEST
from reml.index.impact import ImpactIndex
from tests import ROOT
from tests.index.kill_impact import MATRIX, held
from tests.index.vectors import assert_same, brute_force, sparse


def _run_and_kill(folder: Path, seconds: float) -> None:
    """Kill it so long after it has begun to work: the loading of modules and kernels is behind it then."""
    command = [sys.executable, "-m", "tests.index.kill_impact", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        process.kill()
    assert process.returncode == -9, "it must be killed, not end by itself"


@pytest.mark.slow
def test_killed_at_any_instant_the_last_commit_is_whole(tmp_path: Path) -> None:
    chance, before, builds, commits = random.Random(12), 0, 0, 0
    for kill in range(200):
        folder = tmp_path / f"index-{kill // 10}"
        before = 0 if kill % 10 == 0 else before
        _run_and_kill(folder, chance.uniform(0, 0.15))
        if not (folder / MANIFEST).is_file():
            assert before == 0, "a commit is lost"
            builds += 1
            continue
        index = ImpactIndex.open(folder)
        index.verify()
        rows = held(index.version)
        assert index.version >= before
        assert len(index) == len(rows)
        asked = MATRIX[:5]
        assert_same(index.search(sparse(asked), 50), brute_force(asked, MATRIX[rows], rows, 50))
        commits += index.version - before
        before = index.version
    assert builds > 0, "no kill fell into the first build"
    assert commits > 200, "too few commits were made between the kills"
