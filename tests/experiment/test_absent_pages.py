"""Evidence on pages that the knowledge source does not have is counted, before a table of zeros shows it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

import reml
from reml.__main__ import main
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.metrics import Bleu
from reml.experiment.run import warn_of_absent
from reml.experiment.runner import Runner
from reml.files.records import write_examples
from reml.predictors.first_title import FirstTitle
from reml.retrievers.bm25 import BM25
from reml.tasks.jsonl import Jsonl
from tests.small_experiment import write_experiment

LACKS = "that the knowledge source lacks"


def said(
    folder: Path, *named: Sequence[str], predictor: type[FirstTitle] | None = FirstTitle, own: bool = False
) -> str:
    """Give what is said of questions that name these pages."""
    write_experiment(folder)
    asked = [Example(f"q{n}", "?", (Answer("a", tuple(map(Provenance, pages))),)) for n, pages in enumerate(named)]
    write_examples(asked, folder / "own.jsonl")
    metric = Bleu() if own else None
    task = Jsonl("own", {"dev": folder / "own.jsonl"}, knowledge_source=folder / "pages.jsonl", metric=metric)
    experiment = reml.Experiment([task], {"bm25": reml.Access(BM25())}, predictor)
    console = Console(file=io.StringIO(), width=800)
    warn_of_absent(Runner(experiment, folder / "home", console), "own")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().split("prepare the collection\n")[-1]


@pytest.mark.parametrize(
    ("named", "counted", "most"),
    [
        ([["Peru"], ["cuba"], ["fiji"]], "1 of 3 questions has evidence on a page", "0.667"),
        ([["Peru"], ["Cuba"]], "2 of 2 questions have evidence on pages", "0.000"),
        ([["Peru", "cuba"], ["fiji"]], "1 of 2 questions has evidence on a page", "0.500"),
        ([["Peru"], [], ["fiji"], ["cuba"]], "1 of 4 questions has evidence on a page", "0.500"),
    ],
)
def test_they_are_counted_with_what_they_leave(named: list[list[str]], counted: str, most: str, tmp_path: Path) -> None:
    told = said(tmp_path, *named)
    assert told.startswith(f"own: {counted} {LACKS}, ")
    assert f"no access model finds them, and the KILT score is {most} at most. The first: example 'q0'" in told
    assert "names page 'Peru'; the nearest page there to 'Peru' is 'peru': write `wikipedia_id` as" in told


@pytest.mark.parametrize("named", [[["peru"]], [[" peru "]], [[""]], [[]], [["peru", ""], ["cuba"]]])
def test_where_none_is_nothing_is_said(named: list[list[str]], tmp_path: Path) -> None:
    assert said(tmp_path, *named) == ""


def test_there_is_no_kilt_score_without_a_predictor_or_by_an_own_metric(tmp_path: Path) -> None:
    assert "no access model finds them. The first" in said(tmp_path / "a", ["Peru"], predictor=None)
    assert "no access model finds them. The first" in said(tmp_path / "b", ["Peru"], own=True)


@pytest.mark.parametrize("command", ["prepare", "run"])
def test_it_is_said_when_pages_are_prepared(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictor = {"class_path": "reml.predictors.first_title.FirstTitle"}
    bm25 = {"bm25": {"retriever": {"class_path": "reml.retrievers.bm25.BM25"}}}
    config = write_experiment(tmp_path, access=bm25, predictor=predictor, train_on=None)
    write_examples([Example("q", "?", (Answer("a", (Provenance("nowhere"),)),))], tmp_path / "dev.jsonl")
    assert main([command, "--config", str(config), "--home", str(tmp_path / "home")]) == 0
    assert "names page 'nowhere'; the ids there are such as 'chad', 'peru', 'fiji': name the" in capsys.readouterr().out
