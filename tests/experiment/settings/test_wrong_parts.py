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
        ({"access": {"a": BM25()}}, r"access\['a'\] is .*: give `Access\(...\)`"),
        ({"access": {"a": BM25}}, r"access\['a'\] is .*: give `Access\(...\)`"),
        ({"access": [Access(BM25())]}, "access is a list: give a mapping by name"),
        ({"systems": {"s": "bm25"}}, r"systems\['s'\] is 'bm25': give `System\(...\)`"),
        ({"predictor": "FirstTitle"}, "predictor is 'FirstTitle': give what makes a predictor"),
        ({"reading": {"k": 2}}, r"reading is \{'k': 2\}: give `Reading\(...\)`"),
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
