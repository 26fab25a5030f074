"""`reml benchmark kilt` on a small experiment: a matrix of two tasks, two access models and two seeds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from reml.__main__ import main
from reml.evaluation.significance import mean_interval
from tests.benchmarks.kilt.fails_once import FailsOnce
from tests.small_experiment import task_of, write_experiment

MATRIX = ("--seeds", "2", "--by", "bm25,closed_book", "--datasets", "nq,places")


def experiment(folder: Path) -> Path:
    """Write an experiment whose answers depend on the seed; one of its tasks has the name of a dataset of KILT."""
    predictor = {
        "class_path": "tests.benchmarks.kilt.fails_once.FailsOnce",
        "init_args": {"trap": str(folder / "trap")},
    }
    tasks = [task_of(folder, name) for name in ("nq", "places", "other")]
    return write_experiment(folder, tasks=tasks, train_on=None, predictor=predictor)


def run(config: Path, home: Path, *more: str) -> int:
    return main(["benchmark", "kilt", "--config", str(config), "--home", str(home), *MATRIX, *more])


def stages(home: Path) -> dict[str, list[dict[str, Any]]]:
    """Give the stages of each seed's run, by its folder."""
    return {
        path.parent.name: json.loads(path.read_text())["stages"] for path in (home / "runs").glob("*/manifest.json")
    }


def table(home: Path, name: str) -> list[dict[str, str]]:
    (path,) = (home / "benchmarks").glob(f"small-*/{name}.csv")
    with path.open() as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The YAML and the home of a matrix whose second seed failed at first."""
    folder = tmp_path_factory.mktemp("matrix")
    config, home = experiment(folder), folder / "home"
    FailsOnce.made = 0
    (folder / "trap").mkdir()
    assert run(config, home) == 2, "the second seed fails"
    assert len(stages(home)) == 1, "the first one is published"
    assert not (home / "benchmarks").exists()
    before = {path: path.stat().st_mtime_ns for path in home.glob("predictions/*/predictions.jsonl")}
    assert len(before) == 2, "one for each access model: the tasks have the same examples"
    (folder / "trap").rmdir()
    assert run(config, home) == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before, "what was done is not done again"
    return config, home


def test_seeds_share_what_does_not_depend_on_them(finished: tuple[Path, Path]) -> None:
    _, home = finished
    rooms = {room: len(list((home / room).glob("*/manifest.json"))) for room in ("collections", "indexes", "hits")}
    assert rooms == {"collections": 1, "indexes": 1, "hits": 1}, "hits of the examples that both tasks have"
    assert len(list((home / "predictions").glob("*/manifest.json"))) == 4, "of two access models under two seeds"


def test_figures_are_those_of_the_cells(finished: tuple[Path, Path]) -> None:
    _, home = finished
    manifest = json.loads(next((home / "benchmarks").glob("*/manifest.json")).read_text())
    assert (manifest["kind"], manifest["seeds"], manifest["accesses"]) == ("benchmark", [7, 8], ["bm25", "closed_book"])
    cells = table(home, "cells")
    assert [(cell["task"], cell["access"], cell["seed"]) for cell in cells] == [
        (task, access, seed) for seed in "78" for task in ("nq", "places") for access in ("bm25", "closed_book")
    ]
    for cell in cells:
        metrics = json.loads((home / "runs" / manifest["runs"][cell["seed"]] / "metrics.json").read_text())
        scores = metrics[cell["access"]][cell["task"]]
        assert float(cell["KILT score"]) == scores["downstream"]["kilt"]["KILT-em"]
        assert float(cell["downstream"]) == scores["downstream"]["downstream"]["em"]
        assert float(cell["R-precision"]) == scores["retrieval"]["Rprec"]
        assert float(cell["recall@5"]) == scores["retrieval"]["recall@5"]


def test_means_and_intervals_are_over_seeds(finished: tuple[Path, Path]) -> None:
    _, home = finished
    cells = [cell for cell in table(home, "cells") if (cell["task"], cell["access"]) == ("nq", "bm25")]
    values = [float(cell["KILT score"]) for cell in cells]
    assert values == [1.0, 0.0], "two words are right: seed 7 gives them, seed 8 one"
    (row,) = [row for row in table(home, "figures") if (row["task"], row["access"]) == ("nq", "bm25")]
    mean = sum(values) / 2
    assert row["KILT score"] == f"{100 * mean:.1f} ± {100 * (mean_interval(values).high - mean):.1f}"


def test_costs_stand_beside(finished: tuple[Path, Path]) -> None:
    _, home = finished
    rows = {(row["task"], row["access"]): row for row in table(home, "costs")}
    bm25, closed = rows["nq", "bm25"], rows["nq", "closed_book"]
    # Each of the three dev questions finds the passage it names, of 12, 12 and 11 words.
    assert bm25["words read"] == "12"
    assert (closed["words read"], closed["index MiB"], closed["retrieve s"]) == ("0", "0.00", "0.0")
    assert float(bm25["peak MiB"]) > 10


def test_every_two_systems_are_compared_and_published_results_marked(finished: tuple[Path, Path]) -> None:
    _, home = finished
    assert {(row["task"], row["first"], row["second"]) for row in table(home, "tests")} == {
        (task, "bm25", "closed_book") for task in ("nq", "places")
    }
    published = table(home, "published")
    ours = next(row for row in published if row["system"] == "ours: bm25")
    assert ours["not comparable"] == "dev split; not KILT's own examples"
    assert {row["task"] for row in published} == {"nq"}


def test_a_second_run_finds_all_done(finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    config, home = finished
    assert run(config, home) == 0
    assert len(stages(home)) == 2
    assert all(stage["cached"] for found in stages(home).values() for stage in found)
    told = capsys.readouterr().out
    assert "differences, %" in told
    (page,) = (home / "benchmarks").glob("*/report.html")
    assert page.name in told
    linked = page.parent / "../../runs"
    assert all((linked / name / "report.html").is_file() for name in stages(home))
    assert all(f"../../runs/{name}/report.html#task=nq&amp;access=bm25" in page.read_text() for name in stages(home))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--seeds", "0"), "seeds is 0"),
        (("--seeds", "many"), "seeds"),
        (("--datasets", "squad"), "cannot choose the tasks squad: name some of nq, places, other"),
        (("--by", "bm52"), "cannot choose the access models bm52"),
        (("--sedes", "2"), "no setting 'sedes'"),
    ],
)
def test_wrong_settings_are_named(
    arguments: tuple[str, ...], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", str(experiment(tmp_path)), "--home", str(tmp_path / "home")]
    assert main(["benchmark", "kilt", *given, *arguments]) == 2
    assert named in capsys.readouterr().err


def test_help_tells_its_own_settings_and_those_of_an_experiment(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "kilt", "--help"]) == 0
    told = capsys.readouterr().out
    assert "--seeds" in told
    assert "--reading.limit" in told


def test_without_an_experiment_it_is_kilt_s_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--datasets", "nq", "--by", "bm25", "--limit", "5", "--home", str(tmp_path)]
    assert main(["benchmark", "kilt", *given]) == 2
    assert "reml prepare kilt" in capsys.readouterr().err


def test_retrieval_alone_is_compared_by_the_pages_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, tasks=[task_of(tmp_path, "nq")], train_on=None, predictor=None)
    assert main(["benchmark", "kilt", "--config", str(config), "--home", str(tmp_path / "home"), "--seeds", "2"]) == 0
    (row,) = [one for one in table(tmp_path / "home", "figures") if one["access"] == "bm25"]
    (metrics, _) = sorted((tmp_path / "home" / "runs").glob("*/retrieval.json"))
    assert "nDCG@10" in metrics.read_text()
    assert (row["measure"], row["downstream"], row["KILT score"]) == ("nDCG@10", "100.0 ± 0.0", "–")
    assert not table(tmp_path / "home", "published"), "those of nq that are known are of answers"
    assert "differences, %" in capsys.readouterr().out
