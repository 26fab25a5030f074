"""A configuration of the former layout is answered with the paths and names that it is to give now."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from reml.__main__ import main
from reml.cli.settings.class_paths import explain
from reml.cli.settings.moved_paths import MOVED, RENAMED
from tests.small_experiment import task_of, write_experiment


@pytest.mark.parametrize("before", MOVED)
def test_the_new_path_names_a_class_and_the_old_one_does_not(before: str) -> None:
    module, _, name = MOVED[before].rpartition(".")
    assert isinstance(vars(importlib.import_module(module))[name], type)
    assert explain(before) == f"{before} has moved: name it {MOVED[before]}"
    module, _, name = before.rpartition(".")
    assert importlib.util.find_spec(module) is None or name not in vars(importlib.import_module(module))


def test_every_path_of_a_former_configuration_is_answered_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sparse = {"negatives": "bm25", "regularisers": [{"class_path": "reml.training.sparsity.L1"}]}
    given = {
        "access": {
            "bm25": {
                "retriever": {"class_path": "reml.retrievers.bm25f.BM25F"},
                "query_generator": {"class_path": "reml.queries.MentionQuery", "init_args": {"window": 0}},
                "expansion": {"class_path": "reml.relevance_feedback.RM3"},
                "processors": [{"class_path": "reml.processing.DistinctPages"}],
            },
            "dense": {"retriever": {"class_path": "reml.retrievers.dense.Dense"}, "train": sparse},
            "taught": {
                "feedback": {
                    "learner": "dense",
                    "objective": {"class_path": "reml.feedback.contrastive.Contrastive"},
                    "judge": {"class_path": "reml.feedback.judges.ByEvidence"},
                    "refresh": {"class_path": "reml.training.refresh_apart.Asynchronous"},
                }
            },
        },
    }
    config = write_experiment(tmp_path, train_on=None, **given)
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    lines = capsys.readouterr().err.splitlines()
    for place, now in {
        "access.bm25.retriever": "reml.retrievers.bm25.BM25F",
        "access.bm25.query_generator": "reml.access.querying.MentionQuery",
        "access.bm25.expansion": "reml.access.querying.RM3",
        "access.bm25.processors[0]": "reml.access.presenting.DistinctPages",
        "access.dense.train.regularisers[0]": "reml.training.regimes.sparsity.L1",
        "access.taught.feedback.judge": "reml.feedback.judges.GoldEvidence",
        "access.taught.feedback.refresh": "reml.training.refresh.Asynchronous",
    }.items():
        assert [
            line
            for line in lines
            if ".yaml, line " in line and f": {place}: " in line and line.endswith(f" has moved: name it {now}")
        ]
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("reml.corpora.TsvTexts", "reml.collection.sources.TsvTexts"),
        ("reml.ir_datasets_source.IrDatasetsTexts", "reml.collection.sources.IrDatasetsTexts"),
    ],
)
def test_a_source_that_moved_is_answered(
    before: str, now: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = task_of(tmp_path, "places")
    settings = dict(task["init_args"], knowledge_source={"class_path": before})  # type: ignore[call-overload]
    config = write_experiment(tmp_path, tasks=[{**task, "init_args": settings}])
    assert main(["prepare", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    assert f"{before} has moved: name it {now}" in capsys.readouterr().err


def test_a_path_on_the_command_line_is_answered_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["prepare", "--config", str(write_experiment(tmp_path)), "--home", str(tmp_path / "home")]
    assert main([*given, "--access.flat.retriever", "reml.retrievers.bm25f.BM25F"]) == 2
    assert "access.flat.retriever: reml.retrievers.bm25f.BM25F has moved: name it reml.retrievers.bm25.BM25F" in (
        capsys.readouterr().err
    )


@pytest.mark.parametrize("path", RENAMED)
def test_the_new_name_is_a_setting_and_the_old_one_is_not(path: str) -> None:
    module, _, name = path.rpartition(".")
    there = inspect.signature(vars(importlib.import_module(module))[name]).parameters
    assert set(RENAMED[path].values()) <= there.keys()
    assert there.keys().isdisjoint(RENAMED[path])


def test_every_former_name_of_a_setting_is_answered_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rounds = [{"own": False}, {"groups": {"top": 5}}]
    train = {"compared": 2, "listed": 3, "random": 0.0, "rounds": rounds, "training": {"chunk": 8}}
    access = {"dense": {"retriever": {"class_path": "reml.retrievers.dense.Dense"}, "train": train}}
    config = write_experiment(tmp_path, access=access, train_on=None)
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home")]) == 2
    lines = capsys.readouterr().err.splitlines()
    for told in (
        "RetrieverTraining has no setting 'compared'; it is called items_per_query now",
        "RetrieverTraining has no setting 'listed'; it is called list_depth now",
        "RetrieverTraining has no setting 'random'; it is called random_negatives now",
        "rounds[0]: Round has no setting 'own'; it is called self_mined now",
        "rounds[1]: Round has no setting 'groups'; it is called curriculum now",
        "training: Training has no setting 'chunk'; it is called gradient_cache now",
    ):
        assert [line for line in lines if ": access.dense.train" in line and line.endswith(told)], told
    assert not (tmp_path / "home").exists()


def test_a_former_name_on_the_command_line_is_answered_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["run", "--config", str(write_experiment(tmp_path)), "--home", str(tmp_path / "home")]
    assert main([*given, "--training.chunk", "8"]) == 2
    assert "training: Training has no setting 'chunk'; it is called gradient_cache now" in capsys.readouterr().err
    assert main([*given, "--access.bm25.train.listed", "3"]) == 2
    told = "access.bm25.train: RetrieverTraining has no setting 'listed'; it is called list_depth now"
    assert told in capsys.readouterr().err
