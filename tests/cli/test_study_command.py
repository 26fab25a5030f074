"""A whole study on a small world, through the command line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from reml.__main__ import main
from reml.cli.loading import load
from tests.truths import feedback, write_truths

GOLD = {
    "objective": {"class_path": "reml.feedback.contrastive.Contrastive", "init_args": {"temperature": 0.1}},
    "judge": {"class_path": "reml.feedback.judges.GoldEvidence"},
}


def learning(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**feedback()["feedback"], **changes}.items() if name != "learner"}


def write_study(folder: Path) -> Path:
    path = write_truths(folder, {}, predictor_seed=0)
    study = {
        "learners": ["dense"],
        "objectives": {"pdist": learning()},
        "references": {"gold": learning(**GOLD)},
        "seeds": [0, 1],
    }
    path.write_text(path.read_text(encoding="utf-8") + yaml.safe_dump({"study": study}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The study's file and its result folder."""
    folder = tmp_path_factory.mktemp("study")
    config = write_study(folder)
    assert main(["study", "--config", str(config), "--home", str(folder / "home")]) == 0
    (result,) = (folder / "home" / "studies").iterdir()
    return config, result


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_numbers_are_those_of_the_cells(finished: tuple[Path, Path]) -> None:
    """An experiment of the study, run for itself, scores what the study says."""
    _, result = finished
    config, home = result / "experiments" / "seed-1.yaml", result.parents[1]
    runner, _ = load("run", ["--config", str(config), "--home", str(home)])
    told = {
        (row["objective"], row["control"], row["measure"]): row
        for row in rows(result / "cells.csv")
        if row["seed"] == "1"
    }
    for access, place in {"dense": ("frozen", ""), "dense_pdist": ("pdist", ""), "dense_gold": ("gold", "")}.items():
        evaluation = runner.evaluate(access, "things")
        for measure in ("Rprec", "em", "KILT-em"):
            assert float(told[*place, measure]["value"]) == evaluation.mean(measure)
    assert not [stage for stage in runner.stages.done.values() if not stage.cached]


def test_feedback_gains_over_the_frozen_retriever_and_the_controls(finished: tuple[Path, Path]) -> None:
    gains = {
        row["over"]: row
        for row in rows(finished[1] / "gains.csv")
        if (row["objective"], row["measure"]) == ("pdist", "passage_success_rate@1")
    }
    assert set(gains) == {"frozen", "untrained", "shuffled"}
    for row in gains.values():
        assert float(row["gain"]) > 0.3
        assert float(row["p_holm"]) < 0.1, "twelve questions, of which about half had room for a gain"


def test_objectives_are_compared_with_one_another(finished: tuple[Path, Path]) -> None:
    found = rows(finished[1] / "rivals.csv")
    assert {(row["learner"], row["objective"], row["over"]) for row in found} == {("dense", "pdist", "gold")}
    cells = {
        (row["objective"], row["seed"]): float(row["value"])
        for row in rows(finished[1] / "cells.csv")
        if row["measure"] == "Rprec" and not row["control"]
    }
    gap = sum(cells["pdist", seed] - cells["gold", seed] for seed in ("0", "1")) / 2
    (rprec,) = (row for row in found if row["measure"] == "Rprec")
    assert float(rprec["gain"]) == pytest.approx(gap)
    assert float(rprec["low"]) <= gap <= float(rprec["high"])
    assert rprec["p_holm"] == rprec["p"], "two objectives are one pair"
    assert "objectives beside one another" in (finished[1] / "report.html").read_text(encoding="utf-8")


def test_what_is_shared_is_made_once(finished: tuple[Path, Path]) -> None:
    home = finished[1].parents[1]
    counted = {room: len(list((home / room).iterdir())) for room in ("collections", "indexes", "signals")}
    assert counted == {"collections": 1, "indexes": 1, "signals": 2 + 1 - 1}
    assert len(list((home / "models").glob("train-the-predictor-*"))) == 1
    assert len(list((home / "models").glob("teach-*"))) == 2 * 4


def test_a_second_run_shows_the_same_and_trains_nothing(
    finished: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    config, result = finished
    before = (result / "cells.csv").read_bytes()
    models = {path: path.stat().st_mtime_ns for path in (result.parents[1] / "models").glob("*/manifest.json")}
    assert main(["study", "--config", str(config), "--home", str(result.parents[1])]) == 0
    shown = capsys.readouterr().out
    assert "training" not in shown
    assert "pdist" in shown
    assert (result / "cells.csv").read_bytes() == before
    assert models == {path: path.stat().st_mtime_ns for path in models}


def test_the_page_and_the_experiments_are_written(finished: tuple[Path, Path]) -> None:
    _, result = finished
    assert "dense, pdist: answer recall" in (result / "report.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in (result / "experiments").iterdir()) == ["seed-0.yaml", "seed-1.yaml"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--home", "x"], "no experiment is named: give its YAML file with --config"),
        (["mine.yaml"], "give its YAML file with --config mine.yaml"),
        (["--config", "absent.yaml"], "absent.yaml does not exist"),
    ],
)
def test_what_is_no_study_is_refused(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert main(["study", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"study": None}, "study: Study needs learners, objectives"),
        (
            {"study": {"learners": ["dense"], "objective": {}}},
            "study: Study has no setting 'objective'; the nearest: objectives",
        ),
        ({"study": {"learners": [], "objectives": {"pdist": {}}}}, "study.learners is empty"),
        ({"study": {"learners": ["sparse"], "objectives": {"pdist": {}}}}, "study.learners names ['sparse']"),
        (
            {"study": {"learners": ["dense"], "objectives": {"pdist": {**learning(), "itms": 3}}}},
            "access.dense_pdist.feedback: AccessFeedback has no setting 'itms'; the nearest: items",
        ),
    ],
)
def test_what_is_wrong_with_a_study_is_named(
    changes: dict[str, Any], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_truths(tmp_path, {}, predictor_seed=0)
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    path.write_text(yaml.safe_dump({name: part for name, part in {**written, **changes}.items() if part is not None}))
    assert main(["study", "--config", str(path), "--home", str(tmp_path / "home")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "home").exists(), "said before any work"


def test_former_names_in_a_study_are_answered_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_study(tmp_path)
    written = yaml.safe_load(path.read_text(encoding="utf-8"))
    written["study"]["objectives"] = {"gold": learning(**GOLD, training={"chunk": 8})}
    written["study"] |= {"references": {}, "controls": []}
    path.write_text(yaml.safe_dump(written), encoding="utf-8")
    assert main(["study", "--config", str(path), "--home", str(tmp_path / "home")]) == 2
    line = path.read_text(encoding="utf-8").splitlines().index("study:") + 1
    told = "access.dense_gold.feedback.training: Training has no setting 'chunk'; it is called gradient_cache now"
    assert capsys.readouterr().err.splitlines()[1:] == [f"  {path}, line {line}: {told}"]


def test_help_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--help"]) == 0
    told = capsys.readouterr().out
    assert told.startswith("usage: reml study --config FILE.yaml")
    assert "--study.learners" in told
