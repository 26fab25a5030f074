"""A run that stores is killed at any instant, and ends with the predictions and the memory of an undisturbed one."""

from __future__ import annotations

import functools
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reml.experiment.plan.storing_predictions import BATCHES
from reml.files.trajectories import TRAJECTORIES
from tests.dying import dies, memory_folder
from tests.experiment.plan.test_storing_predictions import answers, runner_of, small

KILLS = 24


@pytest.fixture(scope="module")
def config() -> Iterator[Path]:
    with memory_folder() as folder:
        yield small(folder, reading={"k": 1, "depth": 4, "words": 40, "batch_size": 2})


def predict(home: Path, config: Path) -> None:
    runner_of(config, home).predictions("notes", "places")


@pytest.fixture(scope="module")
def begun(config: Path) -> Path:
    """A home in which all is made that comes before the predictions."""
    home = config.parent / "begun"
    runner_of(config, home).retriever("notes", "places")
    return home


def state(home: Path, config: Path) -> tuple[object, ...]:
    """Give all that a run ends with: answers, hits, and the texts of the memory by row."""
    runner = runner_of(config, home)
    path = runner.predictions("notes", "places")
    hits, memory = runner.found("notes", "notes", "places")
    items = memory.get(memory.rows())
    known = (answers(path), *((path.parent / name).read_bytes() for name in (path.name, BATCHES, TRAJECTORIES)))
    found = (np.asarray(hits.rows).tolist(), np.asarray(hits.scores).tolist())
    return *known, *found, [(item.row, item.text, item.page_id) for item in items]


@pytest.fixture(scope="module")
def undisturbed(config: Path, begun: Path) -> tuple[object, ...]:
    home = config.parent / "undisturbed"
    shutil.copytree(begun, home)
    return state(home, config)


def dies_predicting(home: Path, config: Path, instant: int) -> bool:
    """Kill a run at an instant; false if it ended before."""
    return dies(functools.partial(predict, config=config), home, instant)


def recorded(home: Path) -> int:
    """Count the batches on record."""
    return sum(path.read_bytes().count(b"\n") for path in home.glob(f"predictions/*/{BATCHES}"))


def test_a_killed_run_that_stores_goes_on(config: Path, begun: Path, undisturbed: tuple[object, ...]) -> None:
    home, done = config.parent / "killed", [0]
    shutil.copytree(begun, home)
    for instant in (720, 340, 600):
        assert dies_predicting(home, config, instant)
        done.append(recorded(home))
    assert 0 < done[1] < 6, "it died while it predicted"
    assert done == sorted(done), "no batch is lost"
    assert state(home, config) == undisturbed


@pytest.mark.slow
def test_killed_at_many_random_instants(config: Path, begun: Path, undisturbed: tuple[object, ...]) -> None:
    moments, kills, inside, number = random.Random(0), 0, 0, 0
    while kills < KILLS:
        home, number, died = config.parent / f"often-{number}", number + 1, True
        shutil.copytree(begun, home)
        while died and kills < KILLS:
            died = dies_predicting(home, config, moments.randint(5, 1000))
            kills, inside = kills + died, inside + (died and 0 < recorded(home) < 6)
        assert state(home, config) == undisturbed
    assert inside >= KILLS // 2, "most of them while it predicted"
