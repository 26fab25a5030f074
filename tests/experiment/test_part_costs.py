"""What an experiment cost by part: of its stages, in its manifest and its report, and under a former version."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import reml
from reml.__main__ import main
from reml.cli.loading import load
from reml.experiment.part_costs import part_costs
from reml.experiment.plan.store import Stage
from tests.experiment.test_run import QUIET, titles
from tests.small_experiment import write_experiment


def test_each_part_has_its_costs_in_results_manifest_and_report(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    results = reml.run(titles(tmp_path), tmp_path / "home", QUIET)
    (run,) = results.runs
    assert list(run.parts)[:3] == ["collection", "index", "retrieval"]
    assert list(run.parts)[-1] == "prediction"
    for part in run.parts.values():
        assert isinstance(part, dict)
        assert part["stages"] == part["made"]
        assert all(isinstance(part[name], int | float) for name in ("seconds", "cpu_seconds", "peak_memory_bytes"))
        assert isinstance(part["bytes"], int)
        assert part["bytes"] > 0
    manifest = json.loads((results.folder / "manifest.json").read_text())
    assert manifest["costs"] == run.parts
    assert all({"cpu_seconds", "bytes"} <= set(stage) for stage in manifest["stages"])
    assert "CPU" in results.report.read_text()
    again = reml.run(titles(tmp_path), tmp_path / "home", QUIET).runs[0]
    assert all(isinstance(part, dict) and part["made"] == 0 for part in again.parts.values())


def test_an_index_that_two_access_models_share_costs_once(tmp_path: Path) -> None:
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    first = {"class_path": "reml.access.presenting.First", "init_args": {"k": 1}}
    access = {"bm25": bm25, "short": {**bm25, "processors": [first]}}
    config = write_experiment(tmp_path, access=access, train_on=None)
    runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home")])
    (run,) = reml.run(runner.experiment, tmp_path / "home", QUIET).runs
    (index,) = (tmp_path / "home" / "indexes").iterdir()
    assert run.parts["index"]["stages"] == run.parts["index"]["made"] == 1  # type: ignore[index, call-overload]
    manifest = json.loads((run.folder / "manifest.json").read_text())
    assert [stage["key"] for stage in manifest["stages"] if stage["key"] in index.name] == [index.name[-16:]]


def test_the_command_ends_with_a_table_of_costs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path)
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 0
    shown = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["part", "stages", "made", "now", "time", "CPU", "peak", "memory", "disk"] in shown
    assert {"collection", "index", "prediction", "all"} <= {row[0] for row in shown if row}


def test_a_stage_of_a_former_version_has_no_known_seconds_of_cpu(tmp_path: Path) -> None:
    (tmp_path / "signals").mkdir()
    old, new = (
        Stage(name, name, tmp_path / room, 2.0, peak, cached=cached, cpu_seconds=cpu)
        for name, room, peak, cached, cpu in (("a", "models", 5, True, None), ("b", "signals", 7, False, 1.0))
    )
    assert part_costs([old, new]) == {
        "training": {"stages": 2, "made": 1, "seconds": 4.0, "cpu_seconds": None, "peak_memory_bytes": 7, "bytes": 0}
    }
