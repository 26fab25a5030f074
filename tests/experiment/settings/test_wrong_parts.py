"""Python objects where others are wanted: each a sentence that says what to give, before any work."""

from __future__ import annotations

from pathlib import Path

import pytest

from reml import Access, Answer, Example, Experiment
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.small_experiment import write_experiment


def task(folder: Path) -> Jsonl:
    write_experiment(folder)
    return Jsonl(name="t", examples={"dev": str(folder / "dev.jsonl")}, knowledge_source=str(folder / "pages.jsonl"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"access": {"a": BM25()}}, r"experiment\.access\.a is an object of BM25, but must be `Access\(...\)`"),
        ({"access": {"a": BM25}}, r"experiment\.access\.a is the class BM25, but must be `Access\(...\)`"),
        ({"access": {"a": Access}}, r"access\.a is the class Access, but must be an object of it: write Access\("),
        ({"access": [Access()]}, "experiment.access is an object of list, but must be a mapping by name"),
        ({"access": {1: Access()}}, "experiment.access has the name 1, which must be a text"),
        ({"systems": {"s": "bm25"}}, r"experiment\.systems\.s is 'bm25', but must be `System\(...\)`"),
        ({"predictor": "FirstTitle"}, "predictor is 'FirstTitle', but must be a class or function, or left out"),
        ({"predictors": {"a": 3}}, "experiment.predictors.a is 3, but must be a class or function"),
        ({"reading": {"k": 2}}, r"reading is \{'k': 2\}, but must be `Reading\(...\)`"),
        ({"tasks": [Jsonl]}, r"tasks\[0\] is the class Jsonl, but must be an object of it: write Jsonl\("),
        ({"tasks": ["qa"]}, r"tasks\[0\] is 'qa', but must be a Task"),
        ({"tasks": (one for one in "a")}, "tasks is a generator, which can be gone through once: give a list"),
        ({"training": 3}, r"experiment\.training is 3, but must be `Training\(...\)`"),
        (
            {"train_on": "bm25"},
            r"experiment\.train_on is 'bm25', but must be `TrainOn\(...\)` of reml.experiment.settings.train_on",
        ),
    ],
)
def test_parts_of_an_experiment_are_said_to_be_none(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    parts: dict[str, object] = {"tasks": [task(tmp_path)], "access": {"a": Access(BM25())}, "predictor": FirstTitle}
    with pytest.raises((TypeError, ValueError), match=said):
        Experiment(**(parts | changes))  # type: ignore[arg-type]


def test_arguments_that_a_class_does_not_take_are_answered_with_its_name_and_those_it_takes() -> None:
    with pytest.raises(
        TypeError, match=r"^Jsonl: too many positional arguments\. It takes .*knowledge_source=.*by name"
    ):
        Jsonl("t", {"dev": "q.jsonl"}, "pages.jsonl")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Access: .*'dept'\. It takes retriever=.*depth="):
        Access(BM25(), dept=3)  # type: ignore[call-arg]


@pytest.mark.parametrize("output", ["Lima", ("Lima",), [{"answer": "Lima"}]])
def test_answers_of_an_example_are_answers(output: object) -> None:
    with pytest.raises(TypeError, match="output of example 'q'"):
        Example("q", "capital of Peru?", output)  # type: ignore[arg-type]
    assert Example("q", "capital of Peru?", (Answer("Lima"),)).answers == ("Lima",)
