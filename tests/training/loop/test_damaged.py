"""A training that goes on sees what is damaged of what it goes on from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.files.atomic import CorruptError, file_digest
from reml.training.loop import resume
from reml.training.loop.fit import METRICS, STATES, WEIGHTS, Fitted, fit, open_fitted
from reml.training.loop.metrics import read_metrics
from reml.training.loop.resume import newest_state
from reml.training.regimes.regimes import Independent
from tests.damage import flip
from tests.training.pointing import SETTINGS, PointingPredictor, dev_sets, predictor, train_set


class Stops(PointingPredictor):
    """A predictor whose training is stopped after so many steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.load_state_dict(predictor().state_dict())
        self.left = steps

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        self.left -= self.training
        if self.left < 0:
            raise KeyboardInterrupt
        return super().loss(batch, signals)


def trained(folder: Path) -> Fitted:
    return fit(Independent(predictor()), train_set(), dev=dev_sets(), settings=SETTINGS, folder=folder)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    trained(folder)
    return folder


@pytest.fixture(scope="module")
def _begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun")
    steps = (SETTINGS.save_every * 3 + 1) * SETTINGS.accumulate  # after the first look at the dev sets
    with pytest.raises(KeyboardInterrupt):
        fit(Independent(Stops(steps)), train_set(), dev=dev_sets(), settings=SETTINGS, folder=folder)
    return folder


@pytest.fixture
def begun(_begun: Path, tmp_path: Path) -> Path:
    """The folder of a training that was stopped after its third state."""
    return Path(shutil.copytree(_begun, tmp_path / "begun"))


@pytest.mark.parametrize("name", ["state.json", "tensors.safetensors", "manifest.json"])
def test_a_damaged_state_is_refused_where_it_is_the_only_one(begun: Path, name: str) -> None:
    (state,) = (begun / STATES).glob("step-*")
    flip(state / name, -3)
    with pytest.raises(CorruptError, match=rf"{name} .*Move .*{state.name} away: the training then goes on from"):
        trained(begun)
    state.rename(state.with_name(f"aside-{state.name}"))
    trained(begun)


def test_the_state_before_a_damaged_one_is_gone_on_from(
    begun: Path, undisturbed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (state,) = (begun / STATES).glob("step-*")
    newer = state.with_name("step-00009999")
    shutil.copytree(state, newer)
    flip(newer / "tensors.safetensors")
    assert newest_state(begun / STATES) == state
    assert f"tensors.safetensors is not what was written. Move {newer} away" in caplog.text
    assert f"The training goes on from step {resume.saved_step(state)}." in caplog.text


@pytest.mark.parametrize("place", [20, 60, 120])
def test_a_flipped_byte_in_the_log_is_seen(begun: Path, place: int) -> None:
    flip(begun / METRICS, place)
    with pytest.raises(CorruptError, match=r"metrics.csv is not what was logged until step \d+. Move it away"):
        trained(begun)


def test_a_log_that_was_moved_away_begins_anew(
    begun: Path, undisturbed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (begun / METRICS).unlink()
    trained(begun)
    assert "the log of this training begins at step" in caplog.text
    assert read_metrics(begun / METRICS) == read_metrics(undisturbed / METRICS)[-len(read_metrics(begun / METRICS)) :]
    assert file_digest(begun / WEIGHTS) == file_digest(undisturbed / WEIGHTS)


def test_what_is_whole_is_gone_on_with_as_if_nothing_had_happened(begun: Path, undisturbed: Path) -> None:
    trained(begun)
    for name in (METRICS, WEIGHTS, "trained.json"):
        assert file_digest(begun / name) == file_digest(undisturbed / name), name


def test_damaged_best_weights_are_said_and_not_kept(begun: Path, caplog: pytest.LogCaptureFixture) -> None:
    flip(begun / WEIGHTS, -1)
    damaged = file_digest(begun / WEIGHTS)
    trained(begun)
    assert "does not hold the weights of step" in caplog.text
    assert file_digest(begun / WEIGHTS) != damaged


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (WEIGHTS, lambda data: data[:-1] + bytes([data[-1] ^ 1])),
        (METRICS, lambda data: data.replace(b"1", b"2", 1)),
        ("trained.json", lambda data: data.replace(b'"steps": ', b'"steps": 1')),
    ],
)
def test_a_finished_training_is_looked_at(
    undisturbed: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes]
) -> None:
    folder = Path(shutil.copytree(undisturbed, tmp_path / "copy"))
    (folder / name).write_bytes(change((folder / name).read_bytes()))
    with pytest.raises(CorruptError, match=rf"{name} is not what was written. `reml repair"):
        open_fitted(Independent(predictor()), folder)


def test_settings_that_are_damaged_are_no_other_settings(begun: Path) -> None:
    path = begun / "training.json"
    path.write_text(path.read_text().replace('"batch_size": ', '"batch_size": 1', 1))
    with pytest.raises(CorruptError, match=r"training.json is not what was written. If it is this one, move that file"):
        trained(begun)
