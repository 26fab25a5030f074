"""An experiment on a task that is measured by a metric of a user's own, through the command line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

from reml.__main__ import main
from reml.files.atomic import CorruptError
from reml.reporting.result_folder import read_results
from tests.small_experiment import task_of, write_experiment

BM25 = {"class_path": "reml.retrievers.bm25.BM25"}


def measured_by(folder: Path, name: str, **settings: object) -> dict[str, object]:
    """Give the settings of a task with a metric of `tests.common_start`."""
    task = task_of(folder, name)
    kept = {key: value for key, value in dict(task["init_args"]).items() if key != "measure"}  # type: ignore[call-overload]
    metric = {"class_path": "tests.common_start.CommonStart", "init_args": settings}
    return {**task, "init_args": {**kept, "metric": metric}}


def experiment(folder: Path, **changes: object) -> Path:
    tasks = [measured_by(folder, "started", most=0.9), task_of(folder, "places")]
    access = {"bm25": {"retriever": BM25}, "closed_book": {}}
    training = {"steps": 12, "batch_size": 2, "rate": 0.3, "warmup": 0.0, "check_every": 1}
    own = {"tasks": tasks, "access": access, "train_on": {"access": "bm25"}, "training": training}
    given = {**own, **changes}
    if given["train_on"] is None:
        del given["training"]
    return write_experiment(folder, **given)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The YAML and the result folder of an experiment that was run."""
    folder = tmp_path_factory.mktemp("own_metric")
    config = experiment(folder)
    assert main(["run", "--config", str(config), "--home", str(folder / "home")]) == 0
    (result,) = (folder / "home" / "runs").iterdir()
    return config, result


def test_its_figures_stand_where_kilt_s_do(finished: tuple[Path, Path]) -> None:
    _, result = finished
    metrics = json.loads((result / "metrics.json").read_text())
    assert metrics["bm25"]["started"]["downstream"]["downstream"] == {"start": pytest.approx(0.9)}
    assert metrics["bm25"]["started"]["downstream"]["kilt"] == {}
    assert metrics["bm25"]["started"]["retrieval"] == metrics["bm25"]["places"]["retrieval"]
    assert metrics["closed_book"]["started"]["downstream"]["downstream"] == {"start": 0.0}
    assert metrics["bm25"]["places"]["downstream"]["kilt"]["KILT-em"] == 1.0
    manifest = json.loads((result / "manifest.json").read_text())
    assert manifest["measures"] == {"started": "start", "places": "em"}
    (own, kilt) = yaml.safe_load((result / "config.yaml").read_text())["tasks"]
    assert own["init_args"]["metric"] == {"class_path": "tests.common_start.CommonStart", "init_args": {"most": 0.9}}
    assert "metric" not in kilt["init_args"]


def test_the_predictor_is_kept_by_it(finished: tuple[Path, Path]) -> None:
    """A first word alone is half of the answer, for which KILT gives nothing."""
    _, result = finished
    with (result / "training" / "metrics.csv").open() as stream:
        dev = [row for row in csv.DictReader(stream) if row["name"] == "dev/started"]
    assert float(dev[0]["value"]) == pytest.approx(0.45)
    assert float(dev[-1]["value"]) == pytest.approx(0.9)


def test_the_table_shows_its_headline(finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    config, result = finished
    assert main(["run", "--config", str(config), "--home", str(result.parent.parent)]) == 0
    shown = capsys.readouterr().out
    started, places = shown.split("started: start, n = 3")[1].split("places: em, n = 3")
    assert started.split()[:4] == ["access", "R-precision", "recall@5", "start"]
    # Every example has 0.9 by it: the bootstrap knows of nothing else. Of 3 right ones Wilson's reaches down to 0.438.
    assert ["bm25", "1.00", "±.28", "1.00", "±.28", "0.900", "±0.000", "1.00", "±.28"] in rows_of(started)
    assert ["bm25", *["1.00", "±.28"] * 5] in rows_of(places)
    assert ["closed_book", "0.000", "±0.281"] in rows_of(started)


def rows_of(shown: str) -> list[list[str]]:
    return [line.split() for line in shown.splitlines()]


def test_the_report_shows_it_without_asking_it(finished: tuple[Path, Path]) -> None:
    _, result = finished
    (result / "report.html").unlink()
    assert main(["report", str(result)]) == 0, "as by --run"
    page = (result / "report.html").read_text(encoding="utf-8")
    assert "start 0.90 · provenance R-precision 1.00" in page
    assert "started: start, n = 3" in page
    assert "<strong>0.900</strong>" in page
    results = read_results(result, cases_each=1)
    assert results.measures == {"started": "start", "places": "em"}
    predicted = results.figures.predicted["bm25"]["started"]
    assert predicted["start"].mean == pytest.approx(0.9)
    assert "KILT-start" not in predicted
    (cell,) = [cell for cell in results.cells if (cell.access, cell.task) == ("bm25", "started")]
    assert {outcome.value: count for outcome, count in cell.counts.items() if count} == {"right": 3}


def test_a_report_without_its_scores_says_what_is_missing(finished: tuple[Path, Path]) -> None:
    _, result = finished
    scores = result / "bm25" / "started" / "scores.json"
    kept = scores.read_text()
    assert json.loads(kept) == {"start": {f"q-{page}": 0.9 for page in ("oman", "cuba", "laos")}}
    manifest = (result / "manifest.json").read_text()
    unrecorded = {name: value for name, value in json.loads(manifest).items() if name not in ("files", "signature")}
    try:
        scores.write_text(json.dumps({"start": {"q-oman": "good"}}))
        with pytest.raises(CorruptError, match=r"scores\.json has 29 bytes where 69 bytes were written"):
            read_results(result, cases_each=1)
        (result / "manifest.json").write_text(json.dumps(unrecorded))  # as a former version wrote it
        with pytest.raises(CorruptError, match=r"scores\.json has no number by 'start' of each example"):
            read_results(result, cases_each=1)
        scores.unlink()
        with pytest.raises(CorruptError, match=r"no .*scores\.json, and 'start' is none of KILT's measures"):
            read_results(result, cases_each=1)
    finally:
        scores.write_text(kept)
        (result / "manifest.json").write_text(manifest)


def test_systems_are_compared_by_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, home = experiment(tmp_path, train_on=None), tmp_path / "home"
    assert main(["benchmark", "kilt", "--config", str(config), "--home", str(home), "--seeds", "2"]) == 0
    (folder,) = (home / "benchmarks").iterdir()
    with (folder / "figures.csv").open() as stream:
        (own, *_) = list(csv.DictReader(stream))
    assert (own["measure"], own["downstream"], own["KILT score"]) == ("start", "0.450 ± 0.000", "–")
    with (folder / "tests.csv").open() as stream:
        tests = [row for row in csv.DictReader(stream) if row["task"] == "started"]
    assert [row["figure"] for row in tests] == ["R-precision", "recall@5", "downstream"]
    assert tests[-1]["difference"] == "+0.450"
    assert "started: start" in (folder / "report.html").read_text(encoding="utf-8")
    shown = capsys.readouterr().out.split("differences, %", 1)[1]
    assert "downstream" in shown


def test_a_metric_that_is_not_sound_ends_the_run_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = [measured_by(tmp_path, "started", most=float("nan"))]
    config = experiment(tmp_path, tasks=tasks, train_on=None)
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "the metric CommonStart of task 'started' gave 'start' as nan for example 'q-oman'" in told
