"""Rankers of an experiment in folders that another experiment names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reml.benchmarks.kilt.saved_rankers import save_rankers
from reml.benchmarks.kilt.script import run_script
from reml.cli.loading import load
from reml.retrievers.rankers.cross_encoder import CrossEncoder
from tests.experiment.trained.test_rankers import TRAIN, experiment
from tests.small_cross_encoder import write_cross_encoder

CROSS = "reml.retrievers.rankers.cross_encoder.CrossEncoder"


def config(folder: Path) -> Path:
    scorer = {"class_path": CROSS, "init_args": {"model": write_cross_encoder(folder / "model")}}
    training = {**TRAIN["training"], "steps": 2, "rate": 1e-3}
    other: dict[str, Any] = {"scorer": {"class_path": "tests.overlap.Overlap"}, "train": TRAIN}
    rankers = {"words": {"scorer": scorer, "train": {**TRAIN, "training": training}}, "plain": {"scorer": scorer}}
    return experiment(folder, None, rankers={**rankers, "unsaved": other})


def test_rankers_are_written_as_they_were_trained(tmp_path: Path) -> None:
    written, home = config(tmp_path), tmp_path / "home"
    (made,) = save_rankers(written, tmp_path / "rankers", home=home, names=["words"])
    runner, _ = load("run", ["--config", str(written), "--home", str(home)])
    trained = runner.ranker("words", "places")
    assert isinstance(trained, CrossEncoder)
    assert made == tmp_path / "rankers" / "words"
    assert CrossEncoder(str(made)).fingerprint() == trained.fingerprint()
    assert trained.fingerprint() != CrossEncoder(str(tmp_path / "model")).fingerprint()


def test_what_is_not_there_or_cannot_be_saved_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--experiment", str(config(tmp_path)), "--folder", str(tmp_path / "rankers"), "--home", str(tmp_path)]
    for names, message in (
        ("[wrods]", "has no ranker 'wrods'; it has words, plain, unsaved."),
        ("[unsaved]", "the ranker 'unsaved' cannot be saved: Overlap"),
    ):
        with pytest.raises(SystemExit):
            run_script(save_rankers, [*options, "--names", names])
        assert message in capsys.readouterr().err
