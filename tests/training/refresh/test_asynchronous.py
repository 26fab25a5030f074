from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import torch

from reml.access.encoded_retriever import EncodedRetriever
from reml.contract.collections import Collection
from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.training.refresh.asynchronous import Asynchronous
from tests.training.live import SETTINGS, SureReader, prepare
from tests.truths import WordDense, WordEncoder


class PatientReader(SureReader):
    """Takes so long over each step that a refresh which has begun before is through; kills the first `kills` ones."""

    def __init__(self, kills: int = 0) -> None:
        super().__init__()
        self.kills = kills

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        for process in multiprocessing.active_children():
            if self.kills:
                assert process.pid is not None
                os.kill(process.pid, signal.SIGKILL)
                self.kills -= 1
            process.join(120)
        return super().loss(batch, signals)


class TellingDense(WordDense):
    """Writes how the process is set that indexes."""

    def index_with(self, encoder: WordEncoder, collection: Collection, folder: Path) -> EncodedRetriever[WordEncoder]:
        if not folder.exists():
            told = f"{torch.get_num_threads()} {os.environ.get('CUDA_VISIBLE_DEVICES')}"
            (folder.parent / "told").write_text(told)
        return super().index_with(encoder, collection, folder)


class ListeningReader(PatientReader):
    """Reads what the processes of refreshes told."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.told: set[str] = set()

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        said = super().loss(batch, signals)
        self.told |= {path.read_text() for path in self.folder.glob("step-*/told")}
        return said


@pytest.mark.slow
def test_training_goes_on_and_takes_the_new_index_when_it_is_there(tmp_path: Path) -> None:
    """Begun after step 2, through during step 3, put to use after step 3: in step 4 its vectors are one step old."""
    reader, devices = ListeningReader(tmp_path / "run" / "indexes"), os.environ.get("CUDA_VISIBLE_DEVICES")
    refresh = Asynchronous(steps=2, threads=2, devices="1,2")
    run = prepare(tmp_path, refresh, reader=reader, indexer=TellingDense())
    run.fit(replace(SETTINGS, steps=4))
    assert run.logged("index/age") == {1: 0.0, 2: 1.0, 3: 2.0, 4: 1.0}
    assert list(run.logged("index/overlap")) == [3]
    assert not run.logged("index/died")
    assert reader.told == {"2 1,2"}, "the other process has threads and devices of its own"
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == devices


def test_training_outlives_a_refresh_that_is_killed_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The first one, of step 2, is killed; the next one is due at step 4 and put to use after step 5."""
    run = prepare(tmp_path, Asynchronous(steps=2), reader=PatientReader(kills=1))
    with caplog.at_level(logging.WARNING, "reml.training.loop.refresh_callback"):
        assert run.fit(replace(SETTINGS, steps=6)).steps == 6
    assert run.logged("index/died") == {3: 1.0}
    assert run.logged("index/age")[6] == 1.0
    (told,) = caplog.messages
    assert "encoded all items with the encoder of step 2 ended with exit code -9" in told
    assert "training goes on" in told


def test_a_refresh_ends_with_the_training_that_it_was_for(tmp_path: Path) -> None:
    run = prepare(tmp_path, Asynchronous(steps=1))
    started = time.monotonic()
    run.fit(replace(SETTINGS, steps=3))
    assert not multiprocessing.active_children()
    assert time.monotonic() - started < 60
    assert not (tmp_path / "run" / "indexes").exists()


class LingeringDense(WordDense):
    """Takes a minute in the process of a refresh, and says which process that is."""

    def index_with(self, encoder: WordEncoder, collection: Collection, folder: Path) -> EncodedRetriever[WordEncoder]:
        if multiprocessing.current_process().daemon:
            (folder.parent / "process").write_text(str(os.getpid()))
            time.sleep(60)
        return super().index_with(encoder, collection, folder)


class DyingReader(SureReader):
    """Kills its process once a refresh is under way."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        if multiprocessing.active_children():
            while not refreshing(self.folder):
                time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGKILL)
        return super().loss(batch, signals)


def refreshing(folder: Path) -> list[int]:
    """Give the processes that refreshes of a run have told."""
    told = [path.read_text() for path in (folder / "run" / "indexes").glob("step-*/process")]
    return [int(number) for number in told if number]


def train_until_killed(folder: Path) -> None:
    prepare(folder, Asynchronous(steps=1), reader=DyingReader(folder), indexer=LingeringDense()).fit()


@pytest.mark.slow
def test_a_refresh_dies_with_a_training_that_is_killed(tmp_path: Path) -> None:
    """Else it would write into the folder of the run that goes on."""
    process = multiprocessing.get_context("spawn").Process(target=train_until_killed, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    (refresh,) = refreshing(tmp_path)
    deadline = time.monotonic() + 30
    while runs(refresh) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not runs(refresh)


def runs(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_cannot_be_sent_to_another_process_is_refused(tmp_path: Path) -> None:
    class Local(WordDense):
        """Known only in this function."""

    with pytest.raises(ValueError, match="cannot be sent to another process"):
        prepare(tmp_path, Asynchronous(), indexer=Local()).fit()


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="1 thread or more, not 0"):
        Asynchronous(threads=0)
    with pytest.raises(ValueError, match="not every 0"):
        Asynchronous(steps=0)
