"""Rankers that an experiment names, trains once, and uses in cascades and as teachers, from YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from reml.__main__ import main
from reml.cli.loading import load
from reml.contract.retrieved import Hits
from reml.experiment.trained.rankers import Untrained
from reml.files.hits import open_hits
from reml.retrievers.rankers.conformer_kernel import ConformerKernel, Form
from tests.experiment.trained.test_encoders import BM25, L1, SNRM, TRAINING
from tests.overlap import Overlap
from tests.small_cross_encoder import write_cross_encoder
from tests.small_experiment import write_experiment

BACKWARDS = {"class_path": "tests.overlap.Overlap"}
CONTRASTIVE = {"class_path": "reml.feedback.contrastive.Contrastive"}
TRAIN: dict[str, Any] = {
    "negatives": "bm25",
    "objective": {**CONTRASTIVE, "init_args": {"in_batch": False}},
    "held_out": 1,
    "random_negatives": 1.0,
    "training": {**TRAINING, "steps": 20, "rate": 0.3},
}
# A word of each page, so that a search finds all of them.
EVERYWHERE = "markets mountains islands valleys plains rivers"
BY_NAME = {"class_path": "reml.access.presenting.Rerank", "init_args": {"scorer": "words", "keep": 3}}


def experiment(folder: Path, train: dict[str, Any] | None, **changes: Any) -> Path:
    ranker = {"scorer": BACKWARDS, **({"train": train} if train is not None else {})}
    access = {"bm25": BM25, "cascade": {**BM25, "processors": [BY_NAME]}}
    parts = {"access": access, "rankers": {"words": ranker}, "train_on": None, "predictor": None}
    config = write_experiment(folder, **{**parts, **changes})
    for split in ("train", "dev"):
        path = folder / f"{split}.jsonl"
        path.write_text(path.read_text().replace("What is seen", f"{EVERYWHERE}: what is seen"))
    return config


def run(config: Path, home: Path) -> int:
    return main(["run", "--config", str(config), "--home", str(home), "--progress", "off"])


def found(home: Path, access: str) -> Hits:
    (folder,) = (home / "hits").glob(f"retrieve-with-{access}-for-places-dev-*")
    return open_hits(folder)


def test_a_ranker_that_is_trained_turns_the_order_of_a_cascade(tmp_path: Path) -> None:
    """As it comes it ranks backwards; from labels it learns that shared words speak for an item."""
    assert run(experiment(tmp_path / "as it comes", None), tmp_path / "home") == 0
    assert run(experiment(tmp_path / "trained", TRAIN), tmp_path / "other") == 0
    bm25, backwards = found(tmp_path / "home", "bm25"), found(tmp_path / "home", "cascade")
    learnt = found(tmp_path / "other", "cascade")
    assert learnt.rows[:, 0].tolist() == bm25.rows[:, 0].tolist()
    assert all(bm25.rows[:, 0] != backwards.rows[:, 0])
    assert (learnt.mask.sum(axis=1) <= 3).all()
    assert (backwards.scores[backwards.mask] < 0).all()
    assert (learnt.scores[learnt.mask] > 0).all()


def test_a_run_says_what_each_step_of_a_cascade_took(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    presenting = "reml.access.presenting"
    sparing = [
        {"class_path": f"{presenting}.Rerank", "init_args": {"scorer": "words", "depth": 2, "margin": 1.0}},
        {"class_path": f"{presenting}.Snippet", "init_args": {"scorer": "words"}},
    ]
    cascade = {**BM25, "processors": [BY_NAME]}
    access = {"bm25": BM25, "cascade": cascade, "sparing": {**BM25, "processors": sparing}}
    assert run(experiment(tmp_path, None, access=access), tmp_path / "home") == 0
    printed = capsys.readouterr().out
    (folder,) = (tmp_path / "home" / "runs").iterdir()
    steps = json.loads((folder / "manifest.json").read_text())["steps"]["places"]
    assert [step["name"] for step in steps["bm25"]] == ["search"]
    search, rank = steps["cascade"]
    assert rank["name"] == "Rerank by Overlap"
    assert search["items"] == rank["items"] > 0
    assert {step["examples"] for step in (search, rank)} == {search["queries"]}
    search, rank, cut = steps["sparing"]
    assert rank["items"] == 2 * rank["queries"] < cut["items"] == search["items"]
    assert cut["name"] == "Snippet by Overlap"
    assert "What effectiveness costs" in (folder / "report.html").read_text()
    for place in (printed, (folder / "report.html").read_text()):
        assert "Rerank by Overlap" in place
        assert "ms a query" in place


def test_a_ranker_is_trained_once_for_all_that_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cascade = {**BM25, "processors": [BY_NAME]}
    access = {"bm25": BM25, "one": cascade, "two": {**cascade, "depth": 3}}
    config = experiment(tmp_path, TRAIN, access=access)
    assert run(config, tmp_path / "home") == 0
    assert len(list((tmp_path / "home" / "models").iterdir())) == 1
    assert run(config, tmp_path / "home") == 0
    assert "train the ranker words" not in capsys.readouterr().err.split("results:")[-1]


def test_rounds_go_on_from_each_other(tmp_path: Path) -> None:
    rounds = {"rounds": [{"self_mined": False, "steps": 2}, {"self_mined": False, "steps": 4}]}
    config = experiment(tmp_path, {**TRAIN, **rounds})
    assert run(config, tmp_path / "home") == 0
    models = sorted((tmp_path / "home" / "models").glob("train-the-ranker-words-in-round-*"))
    weights = [load_file(model / "best.safetensors")["retriever.weight"].item() for model in models]
    runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home")])
    ranker = runner.ranker("words", "places")
    assert isinstance(ranker, Overlap)
    assert ranker.module["weight"].item() == weights[1]
    assert -1.0 < weights[0] < weights[1], "each round goes on upwards from where the one before ended"


def test_a_ranker_that_counts_a_collection_is_fitted_to_it_and_keeps_that_when_it_learns(tmp_path: Path) -> None:
    """Without it, NDRM2 refuses to score."""
    model = write_cross_encoder(tmp_path / "model", labels=None)
    ndrm = {"model": model, "new": {"kind": "ndrm2", "heads": 4}}
    scorer = {"class_path": "reml.retrievers.rankers.conformer_kernel.ConformerKernel", "init_args": ndrm}
    for name, train in (("as it comes", {}), ("trained", {"train": TRAIN})):
        config = experiment(tmp_path / name, None, rankers={"words": {"scorer": scorer, **train}})
        assert run(config, tmp_path / "home") == 0
        runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home")])
        ranker = runner.ranker("words", "places")
        fitted = ConformerKernel(model, new=Form(kind="ndrm2", heads=4))
        fitted.fit(runner.collection("places"))
        assert isinstance(ranker, ConformerKernel)
        counted = [dict(one.module.named_buffers()) for one in (ranker, fitted)]
        assert counted[0].keys() == counted[1].keys()
        assert all(torch.equal(counted[0][name], counted[1][name]) for name in counted[0] if "idf" in name)
        assert any("idf" in name for name in counted[0])
        assert (ranker.fingerprint() == fitted.fingerprint()) is (not train)


IDCM = "reml.retrievers.rankers.idcm.IDCM"


def test_what_selects_windows_learns_after_what_reads_them(tmp_path: Path) -> None:
    """The reader learns on all windows, and stays as it is when the selector learns; then that selects."""
    settings = {"model": write_cross_encoder(tmp_path / "model"), "select": 1, "form": {"window": 4, "top": 1}}
    ranker: dict[str, Any] = {
        "scorer": {"class_path": IDCM, "init_args": settings},
        "train": {**TRAIN, "training": {**TRAINING, "steps": 2, "rate": 1e-3}},
    }
    selection = {"best": 1, "training": {**TRAINING, "steps": 3, "rate": 1e-2}}
    made = []
    for name, changes in (("before", {}), ("after", {"selection": selection})):
        config = experiment(tmp_path / name, None, rankers={"words": {**ranker, **changes}})
        assert run(config, tmp_path / "home") == 0
        runner, _ = load("run", ["--config", str(config), "--home", str(tmp_path / "home")])
        made.append(runner.ranker("words", "places"))
    assert len(list((tmp_path / "home" / "models").iterdir())) == 2, "the reader was trained once"
    before, after = ({name: value.clone() for name, value in one.module.state_dict().items()} for one in made)  # type: ignore[union-attr]
    changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
    assert "cascade.selector.taught" in changed
    assert "cascade.selector.combine.weight" in changed
    assert not {name for name in changed if not name.startswith("cascade.selector.")}


@pytest.mark.parametrize(
    ("ranker", "message"),
    [
        (
            {"scorer": BACKWARDS, "train": TRAIN, "selection": {}},
            "Overlap has no such part: leave it out, or choose IDCM",
        ),
        (
            {"scorer": {"class_path": IDCM, "init_args": {"model": "no/such/one"}}, "selection": {}},
            "selection learns on the lists of `train`",
        ),
    ],
)
def test_a_selection_of_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], ranker: dict[str, Any], message: str
) -> None:
    assert run(experiment(tmp_path, None, rankers={"words": ranker}), tmp_path / "home") == 2
    assert message in capsys.readouterr().err


def test_a_plan_loads_no_ranker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = {"class_path": "reml.retrievers.rankers.cross_encoder.CrossEncoder", "init_args": {"model": "no/such/one"}}
    config = experiment(tmp_path, None, rankers={"words": {"scorer": absent, "train": TRAIN}})
    assert main(["run", "--config", str(config), "--home", str(tmp_path / "home"), "--plan"]) == 0
    assert "train the ranker words" in capsys.readouterr().out


def test_a_cascade_teaches_by_its_ranker(tmp_path: Path) -> None:
    """Lists that a round finds itself are put in the ranker's order, not in that of the search behind it."""
    taught = {"teacher": "cascade", "rounds": [{}], "held_out": 1, "training": TRAINING}
    access = {"bm25": BM25, "cascade": {**BM25, "processors": [BY_NAME]}, "snrm": {"retriever": SNRM, "train": taught}}
    config = experiment(tmp_path, None, access=access)
    assert run(config, tmp_path / "home") == 0
    (lists,) = (tmp_path / "home" / "models").glob("train-snrm-*/lists/places")
    hits = open_hits(lists)
    assert (hits.scores[hits.mask] <= 0).all(), "the scores of a ranker that counts words backwards"
    assert (np.diff(np.where(hits.mask, hits.scores, -1e9), axis=1) <= 0).all()


def test_a_ranker_that_scores_whole_batches_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(experiment(tmp_path, {**TRAIN, "objective": CONTRASTIVE}), tmp_path / "home") == 0
    said = capsys.readouterr().err
    assert "Overlap scores each of 2 queries with all 4 items of a batch, 8 pairs at once" in said


@pytest.mark.parametrize(
    ("train", "message"),
    [
        ({"held_out": 1}, "a ranker learns to order what an access model finds: name it under train.negatives"),
        ({**TRAIN, "rounds": [{}]}, "give each of train.rounds `self_mined: false`"),
        ({**TRAIN, "pseudo_queries": {"count": 9}, "least_start": 0.5}, "train.least_start is of what finds items"),
        ({**TRAIN, "training": {**TRAINING, "gradient_cache": 2}}, "gradient_cache is of vectors"),
        ({**TRAIN, "negatives": "nobody"}, "no access model 'nobody'"),
        (
            {**TRAIN, "negatives": "cascade"},
            "rankers.words.train learns from what 'cascade' finds, and 'cascade' ranks by",
        ),
        ({**TRAIN, "regularisers": [L1]}, "Overlap makes no vectors for l1 to keep sparse"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], train: dict[str, Any], message: str
) -> None:
    assert run(experiment(tmp_path, train), tmp_path / "home") == 2
    assert message in capsys.readouterr().err


def test_a_stage_that_keeps_more_than_it_is_given_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    access = {"bm25": BM25, "cascade": {**BM25, "processors": [BY_NAME], "depth": 2, "k": 1}}
    assert run(experiment(tmp_path, None, access=access), tmp_path / "home") == 2
    said = capsys.readouterr().err
    assert "access model 'cascade': Rerank keeps 3 items of a query, but the depth of the search is 2" in said


def test_a_ranker_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(experiment(tmp_path, None, rankers={}), tmp_path / "home") == 2
    assert "access model 'cascade' names the ranker 'words', which is not there" in capsys.readouterr().err


def test_each_scorer_is_an_object_of_its_own() -> None:
    settings = Overlap(2.0)
    first, second = (Untrained(settings, seed=0).scorer() for _ in range(2))
    assert first.module is not second.module is not settings.module
    assert isinstance(first, Overlap)
    assert first.weight == 2.0
