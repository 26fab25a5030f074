"""A training set that is empty says why: how many examples there were, and what each of them lacked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.cli.loading import load
from tests.small_experiment import write_experiment


def train_examples(folder: Path, *, answers: bool, page: str) -> None:
    """Let four examples have answers, or not, and evidence on a page."""
    output = [{"answer": "Coral reefs", "provenance": [{"wikipedia_id": page}]}] if answers else []
    lines = [json.dumps({"id": f"t{n}", "input": "What is seen in Fiji?", "output": output}) for n in range(4)]
    (folder / "train.jsonl").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("answers", "relevant", "message"),
    [
        (
            True,
            True,
            "no train example can be learnt from: places has 4, 4 of them with an answer, and for none of these the "
            "evidence is among the items of bm25 (2 read), as train_on.relevant asks. Leave out train_on.relevant",
        ),
        (False, True, "places has 4, 0 of them with an answer. Give a task a train split whose examples have answers"),
        (False, False, "places has 4, 0 of them with an answer. Give a task a train split whose examples have answers"),
    ],
)
def test_why_a_predictor_has_nothing_to_learn(answers: bool, relevant: bool, message: str, tmp_path: Path) -> None:
    config = write_experiment(tmp_path, train_on={"access": "bm25", "relevant": relevant})
    train_examples(tmp_path, answers=answers, page="no such page")
    runner, _ = load("train", ["--config", str(config), "--home", str(tmp_path / "home")])
    with pytest.raises(ValueError, match="no train example can be learnt from") as caught:
        runner.train()
    assert message in str(caught.value)


def test_with_evidence_among_the_items_it_learns(tmp_path: Path) -> None:
    config = write_experiment(tmp_path, train_on={"access": "bm25", "relevant": True}, training={"steps": 1})
    train_examples(tmp_path, answers=True, page="fiji")
    runner, _ = load("train", ["--config", str(config), "--home", str(tmp_path / "home")])
    assert list(runner.train()) == ["predictor"]


def test_why_a_retriever_has_nothing_to_learn(tmp_path: Path) -> None:
    snrm = {"class_path": "reml.retrievers.snrm.SNRM", "init_args": {"min_count": 1, "embeddings": None}}
    access = {"snrm": {"retriever": snrm, "train": {"held_out": 1, "training": {"steps": 1}}}}
    config = write_experiment(tmp_path, access=access, train_on=None)
    train_examples(tmp_path, answers=True, page="no such page")
    runner, _ = load("index", ["--config", str(config), "--home", str(tmp_path / "home")])
    with pytest.raises(ValueError, match=r"0 examples to learn from \(4 of its 4 have no item to learn from"):
        runner.retriever("snrm", "places")
