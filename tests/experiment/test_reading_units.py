"""How pages are cut is a setting: it is part of what a collection is known by, and only where it is not the usual."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

import reml
from reml.__main__ import main
from reml.collection.passages import Units
from reml.experiment.runner import Runner
from tests.experiment.test_run import QUIET, titles
from tests.small_experiment import write_experiment


def test_a_collection_is_cut_as_its_reading_says(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    usual, whole = (
        Runner(titles(tmp_path, reading=reading), tmp_path / "home", QUIET)
        for reading in (reml.Reading(k=1, depth=5), reml.Reading(k=1, depth=5, words=None, unit="sentences", size=1))
    )
    assert usual.plan.tasks.collection("places").given == {"words": 100}
    assert usual.plan.tasks.collection("places").key != whole.plan.tasks.collection("places").key
    collection = whole.collection("places")
    assert collection.units == Units("sentences", 1)
    assert all(item.text.count(".") <= 1 for item in collection.get(collection.rows()))
    assert whole.config["reading"] == {"words": None, "unit": "sentences", "size": 1, "depth": 5, "k": 1}
    assert not {"unit", "size", "overlap"} & set(usual.config["reading"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ({"unit": "lines"}, "reading.unit"),
        ({"unit": "sentences", "words": None}, "give `words`, or `size`"),
        ({"overlap": 40}, "reading.overlap is 40: give 0 or more, below the 40 words of a passage"),
        ({"size": 2}, "reading.size is 2: give it for sentences or paragraphs"),
        ({"overlap": -1}, "overlap"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_work(
    reading: dict[str, object], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_experiment(tmp_path)
    written = yaml.safe_load(config.read_text())
    config.write_text(yaml.safe_dump({**written, "reading": {**written.get("reading", {}), **reading}}))
    assert main(["prepare", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "home").exists()
