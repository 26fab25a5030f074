from __future__ import annotations

import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.files.atomic import StaleError
from reml.retrievers.snrm.network import Layers
from reml.retrievers.snrm.snrm import SNRM
from reml.training.refresh.most_retrieved import MostRetrieved
from reml.training.refresh.policies import Every, Never, Refresh
from tests.training.live import SETTINGS, CrashError, Run, SureReader, prepare

SYNCHRONOUS = [Never(), Every(4), MostRetrieved(items=5, steps=2)]


@pytest.mark.parametrize("refresh", SYNCHRONOUS, ids=lambda refresh: type(refresh).__name__)
def test_a_crashed_run_goes_on_with_the_same_numbers(tmp_path: Path, refresh: Refresh) -> None:
    """States are of steps 3, 6 and 9: it dies once between the first two, and once after the last but one."""
    whole, again = prepare(tmp_path / "whole", refresh), prepare(tmp_path / "broken", refresh)
    whole.fit()
    for calls in (5, 6):
        with pytest.raises(CrashError):
            prepare(tmp_path / "broken", refresh, reader=SureReader(calls)).fit()
    again.fit()
    assert again.metrics() == whole.metrics()
    assert not (tmp_path / "broken" / "run" / "indexes").exists()


def train_until_killed(folder: Path, refresh: Refresh, step: int) -> None:
    """Be killed in a step, for another process."""
    prepare(folder, refresh, reader=DyingReader(step)).fit()


class DyingReader(SureReader):
    """Kills its process in its `calls`-th loss."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        try:
            return super().loss(batch, signals)
        except CrashError:
            os.kill(os.getpid(), signal.SIGKILL)
            raise


@pytest.mark.slow
@pytest.mark.parametrize("refresh", SYNCHRONOUS, ids=lambda refresh: type(refresh).__name__)
def test_a_killed_run_goes_on_with_the_same_numbers(tmp_path: Path, refresh: Refresh) -> None:
    whole, again = prepare(tmp_path / "whole", refresh), prepare(tmp_path / "killed", refresh)
    whole.fit()
    process = multiprocessing.get_context("spawn").Process(
        target=train_until_killed, args=(tmp_path / "killed", refresh, 9)
    )
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert not (tmp_path / "killed" / "run" / "trained.json").exists()
    again.fit()
    assert again.metrics() == whole.metrics()


def test_a_run_goes_on_only_under_its_own_refresh(tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        prepare(tmp_path, Every(4), reader=SureReader(5)).fit()
    with pytest.raises(StaleError):
        prepare(tmp_path, Every(5)).fit()


@pytest.mark.parametrize("refresh", [Every(3), MostRetrieved(items=6, steps=3)], ids=["Every", "MostRetrieved"])
def test_learned_sparse_vectors_are_refreshed_in_their_inverted_index(tmp_path: Path, refresh: Refresh) -> None:
    """And a run that stopped between two refreshes goes on with the same numbers."""
    layers = Layers(hidden=(8,), width=60, pooling="mean")
    snrm = SNRM(start="random", embeddings=None, embedding_width=8, min_count=1, layers=layers)
    settings = replace(SETTINGS, steps=7)

    def begun(name: str, calls: int = 0) -> Run:
        torch.manual_seed(3)  # of a network that is new in its folder
        return prepare(tmp_path / name, refresh, indexer=snrm, reader=SureReader(calls))

    whole = begun("whole")
    whole.fit(settings)
    assert whole.logged("index/age")[4] < 3.0
    assert list(whole.logged("index/overlap")) == [3, 6]
    with pytest.raises(CrashError):
        begun("broken", calls=6).fit(settings)
    again = begun("broken")
    again.fit(settings)
    assert again.metrics() == whole.metrics()
