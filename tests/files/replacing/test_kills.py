"""kill -9 at random moments, by the clock, of a process that saves over an index again and again."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from reml.contract.vectors import DenseVectors
from reml.files.replacing import drafts
from reml.index.faiss import FaissIndex
from tests.files.replacing.test_drafts import DAYS_AGO, aged, cannot

KILLS = 25
QUERIES = DenseVectors(np.random.default_rng(9).standard_normal((4, 16)).astype(np.float32))


def filled(seed: int) -> FaissIndex:
    index = FaissIndex(16)
    values = np.random.default_rng(seed).standard_normal((500, 16)).astype(np.float32)
    index.add(np.arange(500, dtype=np.int64), DenseVectors(values))
    return index


@pytest.mark.parametrize("exchanged", [True, False], ids=["exchange", "no exchange"])
def test_one_of_the_indexes_is_there_after_every_kill(
    exchanged: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanged:
        monkeypatch.setattr(drafts, "exchange", cannot)
    moments, made = random.Random(0), [filled(0), filled(1)]
    right = [index.search(QUERIES, 5).rows.tolist() for index in made]
    made[0].save(tmp_path / "ix")
    for _ in range(KILLS):
        child = os.fork()
        while not child:
            made[moments.randrange(2)].save(tmp_path / "ix")
        time.sleep(moments.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert FaissIndex.open(tmp_path / "ix").search(QUERIES, 5).rows.tolist() in right
    aged(tmp_path, DAYS_AGO)
    made[0].save(tmp_path / "ix")
    assert [path.name for path in tmp_path.iterdir()] == ["ix"]
