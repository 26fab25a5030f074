"""From YAML: a choice is trained like any predictor, and what was not asked is no evidence."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml.cli.loading import load
from reml.files.records import read_examples
from reml.files.trajectories import TRAJECTORIES, read_trajectories
from reml.predictors.routing.confusion import chosen_of
from tests.small_experiment import write_experiment


@pytest.mark.parametrize(("utility", "chosen"), [("r_precision", "bm25"), ("em", "none")])
def test_it_learns_whether_to_ask(utility: str, chosen: str, tiny_bert: str, tmp_path: Path) -> None:
    """Titles are no answers, so that by `em` nothing is worth an ask; the pages are right, and the first is asked."""
    title = {"class_path": "reml.predictors.first_title.FirstTitle"}
    settings = {"predictor": title, "access": ["bm25", "flat"], "utility": utility, "encoder": tiny_bert}
    config = write_experiment(
        tmp_path,
        predictor={"class_path": "reml.predictors.routed.Routed", "init_args": {**settings, "price": 0.3}},
        systems={"routed": {"predictor": "predictor", "access": ["bm25", "flat"]}},
        train_on={"access": ["bm25", "flat"]},
        training={"steps": 20, "batch_size": 4, "rate": 0.1, "check_every": 20},
    )
    runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home")])
    predicted = runner.predictions("routed", "places")
    told = list(read_trajectories(predicted.parent / TRAJECTORIES))
    assert chosen_of(told) == [chosen] * 3
    answers = [example.output[0] for example in read_examples(predicted)]
    assert [bool(answer.provenance) for answer in answers] == [chosen == "bm25"] * 3
    assert [dict(answer.meta or {})["chosen"] for answer in answers] == [chosen] * 3
