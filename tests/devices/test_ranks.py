from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from reml.devices.rank_zero import TRAINS_IN, check_rank, is_rank_zero
from reml.devices.ranks import all_gather, all_gather_rows, rank, together, world_size
from reml.experiment.plan.store import Stages
from reml.training.data.sets import DevSet, TrainSet
from reml.training.loop.fit import fit
from reml.training.loop.metrics import read_metrics
from reml.training.refresh.policies import Never
from reml.training.regimes.regimes import Independent
from tests import ROOT
from tests.training import live
from tests.training.pointing import SETTINGS, exact, predictor
from tests.training.several_devices import located, main


def on_two_devices(home: Path, *runs: str) -> None:
    command = [sys.executable, "-m", "tests.training.several_devices", str(home), "2", *runs]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stdout


def numbers(home: Path, run: str) -> list[tuple[int, str, float]]:
    (path,) = home.glob(f"models/{run}-*/metrics.csv")
    return read_metrics(path)


def assert_same_numbers(home: Path, run: str) -> None:
    one, two = (numbers(home / devices, run) for devices in ("one", "two"))
    assert [row[:2] for row in two] == [row[:2] for row in one]
    names = {name for _, name, _ in one}
    assert {f"train/{each}" for each in ("independent", "conditional", "joint", "contrastive", "shared")} <= names
    assert [row[2] for row in two] == pytest.approx([row[2] for row in one], abs=2e-6)


def test_two_processes_have_the_numbers_of_one(tmp_path: Path) -> None:
    """Losses of every regime at every step, and dev scores, with the same global batch, clipping and AdamW."""
    main(tmp_path / "one", 1, "plain")
    on_two_devices(tmp_path / "two", "plain")
    assert_same_numbers(tmp_path, "plain")
    losses = [value for _, name, value in numbers(tmp_path / "one", "plain") if "loss" in name]
    assert losses[-1] < 0.97 * losses[0], "nothing was learnt, so the gradients were not compared"


@pytest.mark.slow
def test_so_they_have_when_one_training_follows_another_and_batches_come_in_parts(tmp_path: Path) -> None:
    main(tmp_path / "one", 1, "plain", "parts")
    on_two_devices(tmp_path / "two", "plain", "parts")
    for run in ("plain", "parts"):
        assert_same_numbers(tmp_path, run)


@pytest.mark.slow
def test_a_run_on_two_devices_goes_on_after_a_kill_with_the_same_numbers(tmp_path: Path) -> None:
    """Dropout draws other numbers on each device, and goes on drawing them."""
    on_two_devices(tmp_path / "two", "drawn")
    on_two_devices(tmp_path / "killed", "drawn-killed")
    on_two_devices(tmp_path / "killed", "drawn")
    assert numbers(tmp_path / "killed", "drawn") == numbers(tmp_path / "two", "drawn")


def test_after_a_training_the_next_one_starts_processes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_RANK", "0")
    before = dict(os.environ)
    with together(Path("run")):
        os.environ.update({"MASTER_PORT": "29500", "LOCAL_RANK": "0", "WORLD_SIZE": "2", "NODE_RANK": "3"})
    assert dict(os.environ) == before


def test_a_process_that_only_helps_ends_with_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert not is_rank_zero()
    with pytest.raises(SystemExit) as end, together(Path("run")):
        pass
    assert end.value.code == 0


def test_a_process_that_helps_in_one_training_and_comes_to_another_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait for the first process, and that for it."""
    monkeypatch.setenv("LOCAL_RANK", "1")
    train, stages = TrainSet.of(located(0, 8)), Stages(tmp_path, Console(quiet=True))
    for wanted in (None, str(tmp_path / "elsewhere")):
        if wanted is not None:
            monkeypatch.setenv(TRAINS_IN, wanted)
        with pytest.raises(RuntimeError, match=r"was started to train with another one in .* but came to"):
            fit(Independent(predictor()), train, dev=[], settings=SETTINGS, folder=tmp_path / "run")
        with pytest.raises(RuntimeError, match="Start the command anew, by itself"):
            stages.make("models", "a stage", None, lambda folder: folder.mkdir())
    monkeypatch.setenv(TRAINS_IN, str(tmp_path / "run" / "below"))
    check_rank(tmp_path / "run")


def test_a_process_by_itself_is_the_first_and_has_what_it_has() -> None:
    assert is_rank_zero()
    assert (world_size(), rank(), all_gather("it")) == (1, 0, ["it"])
    assert all_gather_rows(torch.ones(3, 2)).shape == (3, 1, 2)


def test_dev_sets_smaller_than_the_number_of_devices_are_refused(tmp_path: Path) -> None:
    dev, settings = [DevSet("tiny", located(8, 9), exact)], replace(SETTINGS, devices=2)
    with pytest.raises(ValueError, match="dev sets tiny have fewer examples than there are devices, 2"):
        fit(Independent(predictor()), TrainSet.of(located(0, 8)), dev=dev, settings=settings, folder=tmp_path)


def test_an_index_that_is_refreshed_while_training_is_refused_on_several_devices(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="refreshed while training lives on one device, not 2"):
        live.prepare(tmp_path, Never()).fit(replace(live.SETTINGS, devices=2))
