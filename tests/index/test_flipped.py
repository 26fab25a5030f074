"""Bits that flip in an index: none gives other results, and none ends the process even where nobody looks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

TRIALS = 44  # two or more in each file


def flipped(kind: str, policy: str, home: Path) -> dict[str, int]:
    surroundings = {**os.environ, "REML_VERIFY": policy, "REML_HOME": str(home), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.index.flipping", kind, str(TRIALS)]
    done = subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    ends: dict[str, int] = json.loads(done.stdout)
    assert sum(ends.values()) == TRIALS
    return ends


@pytest.mark.parametrize("kind", ["impact", "Flat", "IVF32,Flat", "HNSW8"])
@pytest.mark.parametrize("policy", ["first", "open", "never"])
def test_a_flipped_bit_is_told_and_ends_no_process(kind: str, policy: str, tmp_path: Path) -> None:
    ends = flipped(kind, policy, tmp_path)
    assert not [end for end in ends if end.startswith("signal")], ends
    if policy == "never":
        assert ends["other results"], "then this test shows nothing"
    else:
        assert set(ends) <= {"CorruptError", "same"}, ends
        assert ends["CorruptError"] > TRIALS * 3 / 4, ends
