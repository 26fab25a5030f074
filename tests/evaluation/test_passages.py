"""Measures of passages, by hand: pages 1 and 2, passages of 10 characters each in paragraph 1."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reml.cli.evaluation_commands import evaluate
from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.passages import evaluate_passage_files, evaluate_passages
from reml.files.records import write_examples


def span(page: str, start: int, stop: int, text: str | None = None) -> Provenance:
    return Provenance(page, None, 1, start, 1, stop, text=text)


def passage(page: str, number: int, text: str | None = None) -> Provenance:
    return span(page, 10 * number, 10 * number + 10, text)


# Two places in one output (multi-hop) or a title alone.
HOPS = Example(
    "hops", "?", (Answer("cold", (span("1", 12, 15), span("2", 31, 38))), Answer("warm", (span("1", 12, 15),)))
)
LINK = Example("link", "?", (Answer("Oslo", (Provenance("2", "Oslo", 0, 0, 0, 4),)),))
BLIND = Example("blind", "?", (Answer("cold"),))


def scores(example: Example, *retrieved: Provenance) -> dict[str, float]:
    found = evaluate_passages([example], [retrieved], depths=(1, 3))
    return {name: found.mean(name) for name in found.values}


def test_places_are_found_where_the_first_passage_overlaps_them() -> None:
    found = scores(HOPS, passage("1", 0), passage("1", 1), passage("2", 3), passage("1", 1))
    assert found == {
        "passage_Rprec": 0.5,  # of two places one is among the first two; of the one place none is first
        "passage_recall@1": 0.0,
        "passage_recall@3": 1.0,  # both outputs: one complete at 3, the other at 2
        "passage_success_rate@1": 0.0,
        "passage_success_rate@3": 1.0,
        "answer_recall@1": 0.0,
        "answer_recall@3": 0.0,
    }


def test_an_output_is_complete_with_its_last_place() -> None:
    found = scores(HOPS, passage("1", 1))
    assert (found["passage_Rprec"], found["passage_recall@1"], found["passage_success_rate@1"]) == (1.0, 0.5, 1.0)
    assert scores(HOPS, passage("2", 3))["passage_recall@3"] == 0
    assert scores(HOPS, passage("2", 3))["passage_Rprec"] == 0.5


def test_another_passage_of_the_right_page_is_no_success() -> None:
    assert scores(HOPS, passage("1", 0), passage("2", 0))["passage_success_rate@3"] == 0


def test_every_passage_carries_the_title() -> None:
    assert scores(LINK, passage("1", 0), passage("2", 7))["passage_recall@3"] == 1
    assert scores(LINK, passage("2", 7))["passage_Rprec"] == 1


def test_a_page_without_a_passage_finds_the_whole_page_alone() -> None:
    assert scores(HOPS, Provenance("1"), Provenance("2"))["passage_Rprec"] == 0
    assert scores(LINK, Provenance("2"))["passage_Rprec"] == 1


def test_answers_are_looked_for_in_the_text() -> None:
    found = scores(HOPS, passage("9", 0, "colder"), passage("9", 1, "It is Warm, they say"))
    assert (found["answer_recall@1"], found["answer_recall@3"]) == (0.0, 1.0)


def test_without_provenance_or_passages_nothing_is_found() -> None:
    assert set(scores(HOPS).values()) == {0.0}
    assert scores(BLIND, passage("1", 0, "cold")) == {
        **dict.fromkeys(scores(BLIND), 0.0),
        "answer_recall@1": 1.0,
        "answer_recall@3": 1.0,
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    write_examples([HOPS, LINK], tmp_path / "gold.jsonl")
    guess = Example("hops", "?", (Answer("cold", (passage("1", 1, "cold"),)),))
    other = Example("link", "?", (Answer("Oslo", ()),))
    write_examples([Example("more", "?", (Answer("x"),)), other, guess], tmp_path / "guess.jsonl")
    return tmp_path / "gold.jsonl", tmp_path / "guess.jsonl"


def test_files_are_scored_in_any_order(files: tuple[Path, Path]) -> None:
    found = evaluate_passage_files(*files, depths=(1,))
    assert found.ids == ("hops", "link")
    assert found.values["passage_Rprec"].tolist() == [1.0, 0.0]
    assert found.values["answer_recall@1"].tolist() == [1.0, 0.0]


def test_the_command_prints_and_writes_them_when_asked(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(*files, json=tmp_path / "scores.json", depths=(1,), passages=True)
    assert "passages: R-precision 0.5000" in capsys.readouterr().out
    written = json.loads((tmp_path / "scores.json").read_text())
    assert written["passages"]["passage_recall@1"] == 0.25
    evaluate(*files, json=tmp_path / "scores.json", depths=(1,))
    assert "passages" not in capsys.readouterr().out
    assert "passages" not in json.loads((tmp_path / "scores.json").read_text())
