from __future__ import annotations

from pathlib import Path

import pytest

from reml.benchmarks.kilt.selection import narrowed
from reml.cli.loading import load
from reml.experiment.runner import Runner
from tests.small_experiment import task_of, write_experiment


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    config = write_experiment(
        tmp_path,
        tasks=[task_of(tmp_path, "places"), task_of(tmp_path, "towns")],
        train_on={"access": "both", "tasks": ["places"]},
    )
    return load("run", ["--config", str(config), "--home", str(tmp_path / "home")])[0]


def test_a_part_keeps_what_it_needs_and_is_written_as_such(runner: Runner, tmp_path: Path) -> None:
    part = narrowed(runner, ["places"], ["closed_book"])
    assert [task.name for task in part.experiment.tasks] == ["places"]
    assert list(part.experiment.access) == ["closed_book", "both", "bm25", "flat"], "training reads with `both`"
    assert list(part.config["access"]) == list(part.experiment.access)  # type: ignore[arg-type]
    assert len(part.config["tasks"]) == 1  # type: ignore[arg-type]
    assert part.folder != runner.folder


def test_without_a_choice_all_is_kept(runner: Runner) -> None:
    whole = narrowed(runner, [], [])
    assert whole.config == runner.config
    assert whole.folder == runner.folder


def test_tasks_that_are_learnt_are_narrowed_too(runner: Runner) -> None:
    assert narrowed(runner, ["towns", "places"], []).experiment.train_on == runner.experiment.train_on
    with pytest.raises(ValueError, match="no chosen task is learnt: choose some of places too"):
        narrowed(runner, ["towns"], [])


@pytest.mark.parametrize(
    ("tasks", "accesses", "named"),
    [
        (["place"], [], "cannot choose the tasks place: name some of places, towns"),
        ([], ["bm52"], "cannot choose the access models bm52: name some of bm25, flat, both, closed_book"),
        ([], ["bm25", "bm25"], "each once"),
    ],
)
def test_what_is_not_there_is_named(runner: Runner, tasks: list[str], accesses: list[str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        narrowed(runner, tasks, accesses)
