"""What a task gives is held to the contract where it is first read, and the sentence names task, split and example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from reml import Access, Example, Experiment, Page, run
from reml.contract.examples import Media
from reml.contract.tasks import examples_of
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25

ONE, TWO = Example("1", "copper"), Example("2", "rice")


class Pages:
    fingerprint = "two"

    def pages(self) -> Iterator[Page]:
        yield Page("a", "Copper", ("Copper", "Copper is mined."))
        yield Page("b", "Rice", ("Rice", "Rice is planted."))


class Mine:
    name, measure = "mine", "em"

    def __init__(self, given: Any) -> None:
        self.given = given

    def source(self) -> Pages:
        return Pages()

    def examples(self, split: str) -> Any:
        return self.given


@pytest.mark.parametrize(
    "given", [[ONE, TWO], (ONE, TWO), iter([ONE, TWO]), (one for one in (ONE, TWO)), np.array([ONE, TWO], dtype=object)]
)
def test_any_several_examples_are_taken(given: object) -> None:
    assert examples_of(Mine(given), "dev") == (ONE, TWO)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, r"gave nothing \(None\): give a list of `Example"),
        ("abc", "gave a str: give a list"),
        (b"abc", "gave a bytes: give a list"),
        (3, "gave a int: give a list"),
        (ONE, "gave a Example: give a list"),
        ({"1": ONE}, "gave a dict: give a list"),
        ({}, "gave a dict: give a list"),
        (["1"], "gave a str at place 0"),
        ([ONE, {"id": "2"}], "gave a dict at place 1"),
        ([ONE, None], "gave a NoneType at place 1"),
        ([], "gave no examples: .* raise ValueError for a split that there is not"),
        (iter(()), "gave no examples"),
        ([ONE, TWO, ONE], "gave the id '1' twice, at places 0 and 2"),
        ([ONE, Example("1", "rice")], "gave the id '1' twice, at places 0 and 1"),
        ([Example("", "rice")], "gave an example with the empty id '' at place 0"),
        ([ONE, Example(" ", "rice")], "gave an example with the empty id ' ' at place 1"),
        ([ONE, Example("2", " ")], "gave example '2' without an input: give it a question"),
    ],
)
def test_what_is_none_is_told_to_the_task(given: object, said: str, tmp_path: Path) -> None:
    sentence = rf"^examples\('dev'\) of the task 'mine' \(Mine\) {said}"
    with pytest.raises(ValueError, match=sentence):
        examples_of(Mine(given), "dev")


def test_media_are_an_input_too() -> None:
    shown = Example("1", "", media=(Media("image", "a.png"),))
    assert examples_of(Mine([shown]), "dev") == (shown,)


def test_an_experiment_reads_tasks_by_it_before_any_work(tmp_path: Path) -> None:
    experiment = Experiment([Mine([ONE, ONE])], {"a": Access(BM25())}, FirstTitle)
    with pytest.raises(ValueError, match=r"examples\('dev'\) of the task 'mine' \(Mine\) gave the id '1' twice"):
        run(experiment, tmp_path / "home", Console(quiet=True))
    assert not (tmp_path / "home").exists()
