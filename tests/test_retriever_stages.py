"""Retrievers that an experiment trains before they index, from YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reml.__main__ import main
from reml.command_line import load
from reml.retrieval import EncodedRetriever
from reml.retrievers.sparse_encoder import SparseEncoder
from tests.small_experiment import write_experiment

SNRM: dict[str, Any] = {
    "class_path": "reml.retrievers.snrm.SNRM",
    "init_args": {
        "embeddings": None,
        "embedding_width": 8,
        "min_count": 1,
        "layers": {"hidden": [8], "width": 60, "dropout": 0.0},
    },
}
BM25 = {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}
TRAINING = {"steps": 3, "batch_size": 2, "rate": 0.01, "precision": "32-true", "check_every": 2}
L1 = {"class_path": "reml.training.sparsity.L1", "init_args": {"weight": 1.0e-5}}
TAUGHT: dict[str, Any] = {"teacher": "bm25", "held_out": 1, "training": TRAINING, "regularisers": [L1]}
CONTRASTIVE = {"class_path": "reml.feedback.contrastive.Contrastive"}


def experiment(folder: Path, train: dict[str, Any], **changes: object) -> Path:
    access = {"bm25": BM25, "snrm": {"retriever": SNRM, "train": train}}
    return write_experiment(folder, access=access, train_on=None, predictor=None, **changes)


def index(config: Path, home: Path, *arguments: str) -> int:
    return main(["index", "--config", str(config), "--home", str(home), *arguments])


def models(home: Path) -> list[Path]:
    return sorted((home / "models").iterdir())


def snrm_indexes(home: Path) -> list[Path]:
    return sorted((home / "indexes").glob("index-snrm-*"))


def test_a_retriever_is_trained_once_and_again_when_its_training_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, home = experiment(tmp_path, TAUGHT), tmp_path / "home"
    assert index(config, home) == 0
    assert "train snrm: " in capsys.readouterr().out
    (model,) = models(home)
    fitted = json.loads((model / "trained.json").read_text())
    assert fitted["steps"] == 3
    assert 0 < fitted["score"] <= 1
    made = (model / "trained.json").stat().st_mtime_ns
    assert index(config, home) == 0
    assert models(home) == [model]
    assert (model / "trained.json").stat().st_mtime_ns == made
    heavier = {**TAUGHT, "regularisers": [{**L1, "init_args": {"weight": 1.0e-4}}]}
    assert index(experiment(tmp_path, heavier), home) == 0
    assert len(models(home)) == len(snrm_indexes(home)) == 2
    assert len(list((home / "indexes").glob("index-bm25-*"))) == 1


def test_what_was_trained_is_what_is_searched(tmp_path: Path) -> None:
    """The index holds the vectors of the trained encoder: its hits are the largest dot products."""
    config, home = experiment(tmp_path, TAUGHT), tmp_path / "home"
    runner, _ = load("index", ["--config", str(config), "--home", str(home)])
    examples = runner.retrieval.examples("places", "dev")
    hits = runner.retrieval.hits("snrm", "places", "dev")
    retriever, collection = runner.retrieval.retriever("snrm", "places"), runner.retrieval.collection("places")
    assert isinstance(retriever, EncodedRetriever)
    encoder = retriever.encoder
    assert isinstance(encoder, SparseEncoder)
    items = encoder.item_vectors(collection.get(collection.rows())).detach().float().numpy()
    queries = encoder.query_vectors([example.input for example in examples]).detach().float().numpy()
    np.testing.assert_allclose(hits.scores[:, 0], (queries @ items.T).max(axis=1), rtol=0.03)
    (start,) = (home / "models").glob("*/start")
    assert start.is_dir()


@pytest.mark.parametrize(
    "train",
    [
        {"held_out": 0, "training": TRAINING, "objective": CONTRASTIVE},
        {"held_out": 1, "negatives": "bm25", "compared": 3, "training": TRAINING, "objective": CONTRASTIVE},
        {"teacher": "bm25", "held_out": 0, "training": TRAINING, "tasks": ["places"]},
        {"negatives": "bm25", "held_out": 1, "training": TRAINING, "pseudo_queries": {"count": 9}, "listed": 2},
    ],
    ids=["labels", "labels and negatives", "teacher", "labels and pseudo-queries"],
)
def test_labels_and_teachers_train(tmp_path: Path, train: dict[str, Any]) -> None:
    assert index(experiment(tmp_path, train), tmp_path / "home") == 0
    assert len(models(tmp_path / "home")) == 1


def test_pseudo_queries_are_taught_by_a_teacher(tmp_path: Path) -> None:
    """Enough of them are held out to judge by, whether or not enough questions are."""
    config, home = experiment(tmp_path, {**TAUGHT, "pseudo_queries": {"count": 20}}), tmp_path / "home"
    assert index(config, home) == 0
    (model,) = models(home)
    assert set(json.loads((model / "training.json").read_text())["dev"]) == {"places", "pseudo-queries"}
    assert "pseudo-queries" in (model / "metrics.csv").read_text()


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"teacher": "snrm"}, "'snrm' is taught by itself"),
        ({"teacher": "nobody"}, "no access model 'nobody'"),
        ({"teacher": "bm25", "negatives": "bm25"}, "leave out `negatives`"),
        ({"compared": 1}, "compared must be 2 or more"),
        ({"teacher": "bm25", "listed": 0}, "listed 1 or more"),
        ({"pseudo_queries": {"count": 9}}, "pseudo_queries have no labels: name the `teacher`"),
        ({"teacher": "bm25", "pseudo_queries": {"shortest": 9}}, "longest no less than shortest"),
        ({"objective": L1}, "objective"),
        ({**TAUGHT, "held_out": 4}, "places has 4 examples to learn from, and 4 of them are to be held out"),
        ({**TAUGHT, "tasks": ["cities"]}, "no task 'cities'"),
        ({**TAUGHT, "objective": {"class_path": "reml.feedback.pdist.Pdist"}}, "needs Signal.ITEM_LIKELIHOOD"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], train: dict[str, Any], message: str
) -> None:
    assert index(experiment(tmp_path, train), tmp_path / "home") == 2
    assert message in capsys.readouterr().err


def test_a_retriever_without_an_encoder_to_train_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, access={"bm25": {**BM25, "train": {}}}, train_on=None, predictor=None)
    assert index(config, tmp_path / "home") == 2
    assert "BM25 cannot be trained: leave out `train`" in capsys.readouterr().err


def test_an_untrained_snrm_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_experiment(tmp_path, access={"snrm": {"retriever": SNRM}}, train_on=None, predictor=None)
    assert index(config, tmp_path / "home") == 2
    assert "give the access model a `train`" in capsys.readouterr().err
