from __future__ import annotations

import io
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from reml.contract.examples import Json
from reml.experiment.plan.node import Node
from reml.experiment.plan.store import Stages, peak_memory, reset_peak_memory
from reml.files.atomic import CorruptError, locked, write_manifest


def stages(home: Path) -> Stages:
    return Stages(home, Console(file=io.StringIO()))


class Built:
    """Counts how often it builds, and leaves a file."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, folder: Path) -> None:
        self.times += 1
        (folder / "result").write_text("made")


def nothing(folder: Path) -> None:
    """Build an empty stage."""


def test_a_stage_is_built_once_in_a_run_and_in_later_runs(tmp_path: Path) -> None:
    build, first = Built(), stages(tmp_path)
    made = first.make("room", "make it", {"a": 1}, build)
    assert first.make("room", "make it", {"a": 1}, build) is made
    again = stages(tmp_path).make("room", "make it", {"a": 1}, build)
    assert build.times == 1
    assert (made.cached, again.cached) == (False, True)
    assert (again.key, again.folder, again.seconds) == (made.key, made.folder, made.seconds)
    assert (made.folder / "result").read_text() == "made"
    assert made.folder.parent == tmp_path / "room"
    assert made.folder.name == f"make-it-{made.key}"


@pytest.mark.parametrize(("room", "depends"), [("room", {"a": 2}), ("room", {"a": 1, "b": None}), ("other", {"a": 1})])
def test_what_depends_on_something_else_is_another_stage(tmp_path: Path, room: str, depends: Json) -> None:
    build, run = Built(), stages(tmp_path)
    first = run.make("room", "make it", {"a": 1}, build)
    second = run.make(room, "make it", depends, build)
    assert build.times == 2
    assert first.folder != second.folder


def test_a_build_that_was_stopped_goes_on_with_what_it_left(tmp_path: Path) -> None:
    def stop(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stages(tmp_path).make("room", "long", 1, stop)
    found: list[str] = []
    run = stages(tmp_path)
    stage = run.make("room", "long", 1, lambda folder: found.append((folder / "half").read_text()))
    assert found == ["half"]
    assert not stage.cached
    assert run.done == {"long": stage}


def test_seconds_of_inner_stages_are_not_counted_twice(tmp_path: Path) -> None:
    run = stages(tmp_path)

    def sleep(seconds: float) -> Callable[[Path], None]:
        return lambda _: time.sleep(seconds)

    def middle(folder: Path) -> None:
        run.make("room", "inner", 1, sleep(0.2))
        time.sleep(0.05)

    def outer(folder: Path) -> None:
        run.make("room", "middle", 2, middle)
        run.make("room", "second", 3, sleep(0.2))
        time.sleep(0.05)

    start = time.perf_counter()
    run.make("room", "outer", 4, outer)
    elapsed = time.perf_counter() - start
    cost = {name: stage.seconds for name, stage in run.done.items()}
    assert cost["inner"] >= 0.2
    assert cost["second"] >= 0.2
    assert 0.05 <= cost["middle"] < 0.2
    assert 0.05 <= cost["outer"] < 0.2
    assert sum(cost.values()) <= elapsed


def test_memory_is_that_of_the_stage(tmp_path: Path) -> None:
    def hold(size: int) -> Callable[[Path], object]:
        return lambda _: np.ones(size, dtype=np.uint8).sum()

    run = stages(tmp_path)
    large = run.make("room", "large", 1, hold(200 << 20))
    reset_peak_memory()
    before = peak_memory()
    small = run.make("room", "small", 2, nothing)
    assert large.peak_memory_bytes >= before + (150 << 20)
    if before < large.peak_memory_bytes:  # where the system lets the peak be reset
        assert small.peak_memory_bytes < large.peak_memory_bytes


def test_a_stage_that_another_run_builds_is_waited_for(tmp_path: Path) -> None:
    begun, go_on, built, shown = threading.Event(), threading.Event(), Built(), io.StringIO()

    def slowly(folder: Path) -> None:
        begun.set()
        assert go_on.wait(60)
        built(folder)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(stages(tmp_path).make, "room", "once", 1, slowly)
        assert begun.wait(60)
        second = threads.submit(Stages(tmp_path, Console(file=shown)).make, "room", "once", 1, built)
        while "waiting" not in shown.getvalue():
            assert not second.done()
            time.sleep(0.01)
        go_on.set()
        assert second.result(60).folder == first.result(60).folder
    assert (built.times, first.result().cached, second.result().cached) == (1, False, True)


def test_a_stage_whose_builder_is_gone_is_built(tmp_path: Path) -> None:
    built = Built()
    folder = stages(tmp_path).make("room", "once", 1, nothing).folder
    (folder / "manifest.json").unlink()
    with ThreadPoolExecutor(1) as threads:
        with locked(folder):
            waiting = threads.submit(stages(tmp_path).make, "room", "once", 1, built)
        assert not waiting.result(60).cached
    assert built.times == 1


def test_what_was_waited_for_is_no_cost_of_what_asked_for_it(tmp_path: Path) -> None:
    inner = stages(tmp_path).make("room", "inner", 1, nothing).folder
    (inner / "manifest.json").rename(inner / "kept")
    run = stages(tmp_path)
    with ThreadPoolExecutor(1) as threads:
        with locked(inner):
            outer = threads.submit(run.make, "room", "outer", 2, lambda _: run.make("room", "inner", 1, nothing))
            time.sleep(0.5)
            (inner / "kept").rename(inner / "manifest.json")
        assert outer.result(60).seconds < 0.25


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"kind": "index"}', '{"kind": "stage"}', '{"kind": "stage", "seconds": "1", "peak_memory_bytes": 1}'],
)
def test_an_unreadable_manifest_is_named(tmp_path: Path, text: str) -> None:
    manifest = stages(tmp_path).make("room", "once", 1, nothing).folder / "manifest.json"
    manifest.write_text(text)
    with pytest.raises(CorruptError, match=r"reml repair") as refused:
        stages(tmp_path).make("room", "once", 1, nothing)
    assert str(manifest) in str(refused.value)


def killed_midway(home: Path) -> None:
    def slow(folder: Path) -> None:
        time.sleep(2)
        os._exit(9)

    stages(home).make("room", "slow", 1, slow)


def test_a_stage_costs_what_all_its_legs_did(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=killed_midway, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == 9
    made = stages(tmp_path).make("room", "slow", 1, lambda _: time.sleep(0.3))
    assert 1.8 <= made.seconds <= 4
    assert sorted(path.name for path in made.folder.iterdir()) == [".lock", "manifest.json"]


def node_of(build: Callable[[Path], None]) -> Node[Path]:
    return Node(kind="room", name="made", make=build, open=lambda folder: folder)


def write_some(folder: Path) -> None:
    (folder / "result").write_text("made")
    (folder / "index").mkdir(exist_ok=True)
    write_manifest(folder / "index", "index", {})
    (folder / "index" / "rows").write_text("123")


def test_files_of_a_stage_are_looked_at_when_a_later_run_opens_it(tmp_path: Path) -> None:
    folder = stages(tmp_path).open(node_of(write_some))
    (folder / "result").write_text("mode")
    with pytest.raises(CorruptError, match=r"result is not what was written. `reml repair .*/made-[0-9a-f]+` keeps"):
        stages(tmp_path).open(node_of(write_some))
    assert stages(tmp_path).is_made(node_of(write_some)), "to know that it is there, nothing is read"


def test_a_folder_in_a_stage_that_has_a_manifest_may_change(tmp_path: Path) -> None:
    folder = stages(tmp_path).open(node_of(write_some))
    (folder / "index" / "rows").write_text("1234")
    assert stages(tmp_path).open(node_of(write_some)) == folder


def test_a_stage_of_a_former_version_has_no_records(tmp_path: Path) -> None:
    folder = stages(tmp_path).open(node_of(write_some))
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"], manifest["signature"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "result").write_text("mode")
    assert stages(tmp_path).open(node_of(write_some)) == folder
