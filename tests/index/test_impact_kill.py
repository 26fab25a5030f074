from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reml.files import MANIFEST
from reml.index.impact import ImpactIndex
from tests.index.kill_impact import MATRIX, held
from tests.index.vectors import assert_same, brute_force, sparse

ROOT = Path(__file__).parents[2]


def _run_and_kill(folder: Path, seconds: float) -> None:
    process = subprocess.Popen([sys.executable, "-m", "tests.index.kill_impact", str(folder)], cwd=ROOT)
    last = _commits(folder)
    # The clock starts at its first commit, so that the kill falls into the work, not into the imports.
    while _commits(folder) == last and process.poll() is None:
        time.sleep(0.002)
    time.sleep(seconds)
    process.kill()
    assert process.wait() == -9, "it must be killed, not end by itself"


def _commits(folder: Path) -> int:
    return ImpactIndex.open(folder).version if (folder / MANIFEST).is_file() else 0


@pytest.mark.slow
def test_killed_at_any_instant_the_last_commit_is_whole(tmp_path: Path) -> None:
    chance, before = random.Random(12), 0
    for kill in range(200):
        folder = tmp_path / f"index-{kill // 10}"
        before = 0 if kill % 10 == 0 else before
        _run_and_kill(folder, chance.uniform(0, 0.15))
        index = ImpactIndex.open(folder)
        index.verify()
        rows = held(index.version)
        assert index.version > before
        assert len(index) == len(rows)
        asked = MATRIX[:5]
        assert_same(index.search(sparse(asked), 50), brute_force(asked, MATRIX[rows], rows, 50))
        before = index.version
