from __future__ import annotations

import csv
import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
    EventAccumulator,
)
from torch import Tensor

from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.devices import progress
from reml.files.atomic import CorruptError, LockedError, StaleError, locked
from reml.training.loop.fit import Fitted, fit, open_fitted
from reml.training.loop.resume import newest_state
from reml.training.regimes.regimes import Independent
from reml.training.settings import Training
from tests import ROOT
from tests.training.pointing import SETTINGS, PointingPredictor, dev_sets, predictor, train_set

RUN_SLOWLY = """
import sys, time
from pathlib import Path
from tests.training import pointing
from tests.training.pointing import SETTINGS
from reml.training.loop.fit import fit
from reml.training.regimes.regimes import Independent

class Slow(pointing.PointingPredictor):
    def loss(self, *given):
        time.sleep(0.01)
        return super().loss(*given)

slow = Slow()
slow.load_state_dict(pointing.predictor().state_dict())
fit(Independent(slow), pointing.train_set(), dev=pointing.dev_sets(), settings=SETTINGS, folder=Path(sys.argv[1]))
"""


def run(folder: Path, settings: Training = SETTINGS, seed: int = 0) -> tuple[Fitted, dict[str, Tensor]]:
    regime = Independent(predictor(seed))
    fitted = fit(regime, train_set(), dev=dev_sets(), settings=settings, folder=folder)
    return fitted, {name: value.clone() for name, value in regime.state_dict().items()}


@dataclass(frozen=True)
class Whole:
    """A run that nothing disturbed."""

    folder: Path
    fitted: Fitted
    weights: dict[str, Tensor]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    folder = tmp_path_factory.mktemp("whole")
    return Whole(folder, *run(folder))


def metrics(folder: Path) -> list[list[str]]:
    with (folder / "metrics.csv").open(encoding="utf-8") as stream:
        return list(csv.reader(stream))


def kill_when(folder: Path, ready: Callable[[], bool]) -> None:
    """Train in another process and kill it when `ready`."""
    process = subprocess.Popen([sys.executable, "-c", RUN_SLOWLY, str(folder)], cwd=ROOT)
    try:
        deadline = time.monotonic() + 120
        while not ready():
            assert process.poll() is None, "the run ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()


def assert_same_weights(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert actual.keys() == expected.keys()
    for name, value in expected.items():
        assert torch.equal(actual[name], value), name


def test_it_learns_keeps_the_best_weights_and_says_how_it_went(whole: Whole) -> None:
    rows = metrics(whole.folder)
    assert rows[0] == ["step", "name", "value"]
    losses = [float(value) for _, name, value in rows[1:] if name == "train/loss"]
    assert len(losses) == 30
    assert sum(losses[-5:]) < 0.6 * sum(losses[:5])
    dev = {int(step): float(value) for step, name, value in rows[1:] if name == "dev/score"}
    assert list(dev) == [7, 14, 21, 28, 30]
    assert whole.fitted == Fitted(30, max(dev, key=lambda step: dev[step]), max(dev.values()))
    assert_same_weights(whole.weights, load_file(whole.folder / "best.safetensors"))


def test_dev_score_is_the_mean_over_tasks(whole: Whole) -> None:
    values = {(step, name): float(value) for step, name, value in metrics(whole.folder)[1:]}
    for step in ("7", "30"):
        mean = (values[step, "dev/first"] + values[step, "dev/second"]) / 2
        assert values[step, "dev/score"] == pytest.approx(mean)


def test_same_seed_same_numbers_and_another_seed_others(tmp_path: Path, whole: Whole) -> None:
    _, second = run(tmp_path / "second")
    assert metrics(tmp_path / "second") == metrics(whole.folder)
    assert_same_weights(second, whole.weights)
    run(tmp_path / "other", replace(SETTINGS, seed=4))
    assert metrics(tmp_path / "other") != metrics(whole.folder)


def test_parts_of_a_batch_add_up_to_the_batch(tmp_path: Path) -> None:
    """Without dropout, the same steps whether a batch is computed at once or in four parts."""
    weights = []
    for accumulate in (1, 4):
        regime = Independent(predictor())
        for module in regime.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        settings = Training(steps=5, batch_size=4, accumulate=accumulate, rate=0.05)
        fit(regime, train_set(), dev=[], settings=settings, folder=tmp_path / str(accumulate))
        weights.append(regime.state_dict())
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, atol=1e-6, rtol=1e-4)


class CrashError(RuntimeError):
    pass


class CrashingPredictor(PointingPredictor):
    """Fails in its `calls`-th loss."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.load_state_dict(predictor().state_dict())
        self.calls = calls

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        self.calls -= 1
        if not self.calls:
            raise CrashError
        return super().loss(batch, signals)


@pytest.mark.parametrize("calls", [1, 7, 8, 43, 60])
def test_a_crashed_run_goes_on_bit_for_bit(tmp_path: Path, whole: Whole, calls: int) -> None:
    """A step has two parts, so loss 7 is the first after state 3; at step 21 the dev sets are looked at as well."""
    broken = tmp_path / "broken"
    with pytest.raises(CrashError):
        fit(Independent(CrashingPredictor(calls)), train_set(), dev=dev_sets(), settings=SETTINGS, folder=broken)
    resumed, resumed_weights = run(broken)
    assert resumed == whole.fitted
    assert metrics(broken) == metrics(whole.folder)
    assert_same_weights(resumed_weights, whole.weights)


def test_a_run_that_crashes_again_and_again_goes_on_bit_for_bit(tmp_path: Path, whole: Whole) -> None:
    broken = tmp_path / "broken"
    for _ in range(5):
        with pytest.raises(CrashError):
            fit(Independent(CrashingPredictor(9)), train_set(), dev=dev_sets(), settings=SETTINGS, folder=broken)
    assert newest_state(broken / "states") == broken / "states" / "step-00000015"
    resumed, _ = run(broken)
    assert resumed == whole.fitted
    assert metrics(broken) == metrics(whole.folder)


def test_a_killed_run_goes_on_bit_for_bit(tmp_path: Path, whole: Whole) -> None:
    broken = tmp_path / "broken"
    kill_when(broken, (broken / "states" / "step-00000009").exists)
    assert not (broken / "trained.json").exists()
    resumed, resumed_weights = run(broken)
    assert resumed == whole.fitted
    assert metrics(broken) == metrics(whole.folder)
    assert_same_weights(resumed_weights, whole.weights)


@pytest.mark.slow
def test_a_run_killed_before_its_first_state_starts_anew(tmp_path: Path, whole: Whole) -> None:
    broken = tmp_path / "broken"
    kill_when(broken, lambda: (broken / "metrics.csv").exists() and len(metrics(broken)) > 1)
    run(broken)
    assert metrics(broken) == metrics(whole.folder)


def test_a_finished_run_is_not_run_again(tmp_path: Path) -> None:
    fitted, weights = run(tmp_path)
    written = (tmp_path / "metrics.csv").stat().st_mtime_ns
    again, same = run(tmp_path)
    assert again == fitted
    assert_same_weights(same, weights)
    assert (tmp_path / "metrics.csv").stat().st_mtime_ns == written
    assert not list((tmp_path / "states").glob("step-*"))
    regime = Independent(predictor(seed=9))
    assert open_fitted(regime, tmp_path) == fitted
    assert_same_weights(regime.state_dict(), weights)
    assert not regime.training


def early(patience: int) -> Training:
    return Training(steps=200, batch_size=4, rate=0.05, check_every=5, save_every=4, patience=patience)


def test_it_stops_early_and_a_crash_changes_nothing_about_when(tmp_path: Path) -> None:
    expected, weights = run(tmp_path / "whole", early(3))
    assert expected.best_step + 15 == expected.steps < 200
    broken = tmp_path / "broken"
    with pytest.raises(CrashError):
        fit(
            Independent(CrashingPredictor(expected.best_step + 12)),
            train_set(),
            dev=dev_sets(),
            settings=early(3),
            folder=broken,
        )
    resumed, resumed_weights = run(broken, early(3))
    assert resumed == expected
    assert_same_weights(resumed_weights, weights)


def test_without_dev_sets_the_last_weights_are_kept(tmp_path: Path) -> None:
    regime = Independent(predictor())
    before = {name: value.clone() for name, value in regime.state_dict().items()}
    fitted = fit(regime, train_set(), dev=[], settings=Training(steps=3, rate=0.05), folder=tmp_path)
    assert fitted == Fitted(3, 3, None)
    assert any(not torch.equal(before[name], value) for name, value in regime.state_dict().items())
    assert open_fitted(Independent(predictor(5)), tmp_path) == fitted


def test_frozen_parts_stay_as_they_are(tmp_path: Path) -> None:
    regime = Independent(predictor())
    before = {name: value.clone() for name, value in regime.state_dict().items()}
    settings = Training(steps=3, rate=0.05, rates={"predictor.embedding": 0.0})
    fit(regime, train_set(), dev=[], settings=settings, folder=tmp_path)
    after = regime.state_dict()
    assert torch.equal(after["predictor.embedding.weight"], before["predictor.embedding.weight"])
    assert not torch.equal(after["predictor.output.weight"], before["predictor.output.weight"])


def test_half_precision_trains(tmp_path: Path) -> None:
    settings = Training(steps=20, rate=0.05, batch_size=8, precision="bf16-mixed")
    fit(Independent(predictor()), train_set(), dev=dev_sets(), settings=settings, folder=tmp_path)
    losses = [float(value) for _, name, value in metrics(tmp_path)[1:] if name == "train/loss"]
    assert sum(losses[-5:]) < sum(losses[:5])


def test_the_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    run(tmp_path)
    with pytest.raises(StaleError, match="other settings, examples or parameters"):
        run(tmp_path, Training(steps=31))


def test_the_folder_of_a_run_that_goes_on_is_refused(tmp_path: Path) -> None:
    with locked(tmp_path / "states"), pytest.raises(LockedError, match="another process"):
        run(tmp_path)


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match="no finished training run"):
        open_fitted(Independent(predictor()), tmp_path)


def test_weights_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    run(tmp_path)
    (tmp_path / "best.safetensors").write_bytes(b"nothing")
    with pytest.raises(CorruptError, match=r"best\.safetensors"):
        run(tmp_path)


class DivergingPredictor(PointingPredictor):
    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        return Prediction(super().loss(batch, signals).loss * torch.nan)


def test_a_loss_that_is_not_a_number_names_the_examples(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the loss is nan at step 0, on examples \['thing\d"):
        fit(Independent(DivergingPredictor()), train_set(), dev=[], settings=SETTINGS, folder=tmp_path)


def test_a_dev_score_that_is_not_a_number_names_the_dev_set(tmp_path: Path) -> None:
    dev = [replace(dev_sets()[0], score=lambda *_: float("nan"))]
    with pytest.raises(ValueError, match="dev scores of first are not finite"):
        fit(Independent(predictor()), train_set(), dev=dev, settings=SETTINGS, folder=tmp_path)


class ImpatientPredictor(CrashingPredictor):
    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        try:
            return super().loss(batch, signals)
        except CrashError:
            raise KeyboardInterrupt from None


def test_an_interrupt_is_an_interrupt_and_the_next_one_is_heard(tmp_path: Path) -> None:
    heard = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        fit(Independent(ImpatientPredictor(20)), train_set(), dev=dev_sets(), settings=SETTINGS, folder=tmp_path)
    assert signal.getsignal(signal.SIGINT) is heard
    assert run(tmp_path)[0].steps == 30


def test_progress_shows_steps_losses_and_dev_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "SHOWN_AFTER", 0.0)
    monkeypatch.setattr(progress, "_LOOK_EVERY", 0.002)  # thirty steps take a tenth of a second
    shown = io.StringIO()
    console = Console(file=shown, width=120, force_terminal=True, color_system=None)
    fit(Independent(predictor()), train_set(), dev=dev_sets(), settings=SETTINGS, folder=tmp_path, console=console)
    dev = r"dev \d\.\d{3}( \(best \d\.\d{3}\))?, mean of "
    assert re.search(rf"train +━+.* \d+/30 steps  \d+.*loss \S+, {dev}", shown.getvalue())
    assert capsys.readouterr() == ("", "")


def test_tensorboard_reads_what_was_logged(tmp_path: Path) -> None:
    run(tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    logged = {event.step: event.value for event in events.Scalars("train/loss")}
    expected = {int(step): float(value) for step, name, value in metrics(tmp_path)[1:] if name == "train/loss"}
    assert logged == pytest.approx(expected)


def test_no_pickle_is_written(tmp_path: Path) -> None:
    with pytest.raises(CrashError):
        fit(Independent(CrashingPredictor(20)), train_set(), dev=dev_sets(), settings=SETTINGS, folder=tmp_path)
    run(tmp_path)
    names = {path.suffix for path in tmp_path.rglob("*") if path.is_file() and "tfevents" not in path.name}
    assert names <= {".json", ".csv", ".safetensors", ".yaml", ""}
