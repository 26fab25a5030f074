"""Questions that are not scored, or count 0 since they name no page, are counted before anything is made."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

import reml
from reml.contract.examples import Answer, Example, Provenance
from reml.experiment.run import warn_of_unjudged
from reml.experiment.runner import Runner
from reml.files.records import write_examples
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.small_experiment import write_experiment

PERU = (Provenance("peru"),)
FULL = (Answer("Lima", PERU),)
UNSCORED = "questions has no answer and is not scored. The first: 'q0'."
CAPPED = "in provenance, and the KILT score is {} at most; retrieval is measured on the others"
PAGELESS = f"questions names no page: it counts 0 {CAPPED.format('0.667')}. The first: 'q0'."


UNRANKED = "questions names no page and is not scored. The first: 'q0'."


def said(folder: Path, *outputs: tuple[Answer, ...], predictor: type[FirstTitle] | None = FirstTitle) -> str:
    write_experiment(folder)
    write_examples([Example(f"q{place}", "?", output) for place, output in enumerate(outputs)], folder / "dev.jsonl")
    task = Jsonl("places", {"dev": folder / "dev.jsonl"}, knowledge_source=folder / "pages.jsonl")
    experiment = reml.Experiment([task], {"bm25": reml.Access(BM25())}, predictor)
    console = Console(file=io.StringIO(), width=500)
    warn_of_unjudged(Runner(experiment, folder / "home", console), "places")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ([()], UNSCORED),
        ([(Answer(""),)], UNSCORED),
        ([(Answer("  "),)], UNSCORED),
        ([(Answer("\u00a0\t"), Answer(None))], UNSCORED),
        ([(Answer(None, PERU),)], UNSCORED),
        ([(Answer("Lima"),)], PAGELESS),
        ([(Answer("Lima", (Provenance(""),)),)], PAGELESS),
        ([(Answer("Lima", (Provenance("  "),)), Answer("Peru"))], PAGELESS),
    ],
)
def test_some_questions_are_not_judged(outputs: list[tuple[Answer, ...]], told: str, tmp_path: Path) -> None:
    assert said(tmp_path, *outputs, FULL, FULL) == f"places: 1 of 3 {told}\n"


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ((), UNRANKED),
        ((Answer("Lima"),), UNRANKED),
        ((Answer("Lima", (Provenance("  "),)),), UNRANKED),
        ((Answer(None, PERU),), ""),
        ((Answer(""), Answer(None, PERU)), ""),
    ],
)
def test_without_a_predictor_pages_alone_count(outputs: tuple[Answer, ...], told: str, tmp_path: Path) -> None:
    shown = said(tmp_path, outputs, FULL, FULL, predictor=None)
    assert shown == (f"places: 1 of 3 {told}\n" if told else "")


def test_several_are_counted(tmp_path: Path) -> None:
    lines = said(tmp_path, (), (Answer("a"),), (), (Answer("b"),), FULL).splitlines()
    assert lines == [
        "places: 2 of 5 questions have no answer and are not scored. The first: 'q0'.",
        f"places: 2 of 3 questions name no page: they count 0 {CAPPED.format('0.333')}. The first: 'q1'.",
    ]


@pytest.mark.parametrize(
    ("output", "told", "predictor"),
    [
        ((), "an answer or evidence, so nothing", FirstTitle),
        ((Answer(" "), Answer(None)), "an answer or evidence, so nothing", FirstTitle),
        ((Answer(None, PERU),), "an answer, so no answer", FirstTitle),
        ((), "evidence, so nothing", None),
        ((Answer("Lima"),), "evidence, so nothing", None),
    ],
)
def test_where_no_question_is_judged_that_is_said(
    output: tuple[Answer, ...], told: str, predictor: type[FirstTitle] | None, tmp_path: Path
) -> None:
    said_of_two = said(tmp_path, output, output, predictor=predictor)
    assert said_of_two == f"places: none of 2 questions has {told} is scored: is this a test split?\n"


@pytest.mark.parametrize("outputs", [[FULL, FULL], [(Answer("a"),), (Answer("b"),)]])
def test_where_all_are_alike_nothing_is_said(outputs: list[tuple[Answer, ...]], tmp_path: Path) -> None:
    assert said(tmp_path, *outputs) == ""


def test_blank_answers_are_no_answers() -> None:
    assert Example("q", "?", (Answer(" "), Answer("a "), Answer("\n"))).answers == ("a ",)


def test_a_run_says_it(tmp_path: Path) -> None:
    write_experiment(tmp_path)
    write_examples([Example("q0", "?"), Example("q1", "?", FULL)], tmp_path / "dev.jsonl")
    task = Jsonl("places", {"dev": tmp_path / "dev.jsonl"}, knowledge_source=tmp_path / "pages.jsonl")
    console = Console(file=io.StringIO(), width=500)
    reml.run(reml.Experiment([task], {"bm25": reml.Access(BM25())}, FirstTitle), tmp_path / "home", console)
    assert isinstance(console.file, io.StringIO)
    assert f"places: 1 of 2 {UNSCORED}\n" in console.file.getvalue()
