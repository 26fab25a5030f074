"""TREC files: read back what was written."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.trec import RankedPage, RunError, rank_pages, read_run, write_relevance, write_run


def test_the_first_passage_of_a_page_stands_for_it() -> None:
    ranking = rank_pages(["p", "q", "p", "r"], [3.0, 2.0, 1.0, 0.5, -math.inf])
    assert ranking == (RankedPage("p", 3.0), RankedPage("q", 2.0), RankedPage("r", 0.5))


def test_a_run_as_it_is_written(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {"q 1": [RankedPage("p", 1.5), RankedPage("50%", -2.0)], "q2": []}, tag="bm25")
    assert (tmp_path / "run.trec").read_text() == "q%201 Q0 p 1 1.5 bm25\nq%201 Q0 50%25 2 -2.0 bm25\n"


identifiers = st.text(st.characters(codec="utf-8"), min_size=1)
pages = st.builds(RankedPage, identifiers, st.floats(allow_nan=False, allow_infinity=False, width=32))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.dictionaries(identifiers, st.lists(pages, min_size=1, max_size=4), max_size=4))
def test_a_run_comes_back(tmp_path: Path, rankings: dict[str, list[RankedPage]]) -> None:
    write_run(tmp_path / "run.trec", rankings, tag="a tag")
    assert read_run(tmp_path / "run.trec") == {question: tuple(pages) for question, pages in rankings.items()}


def test_a_run_is_read_by_rank(tmp_path: Path) -> None:
    (tmp_path / "run.trec").write_text("q Q0 second 2 9 t\nq Q0 first 1 1e-3 t\n")
    assert read_run(tmp_path / "run.trec") == {"q": (RankedPage("first", 1e-3), RankedPage("second", 9.0))}


@pytest.mark.parametrize("line", ["q Q0 p 1 0.5", "q Q0 p first 0.5 t", "q Q0 p 1 high t", "\n"])
def test_a_line_that_is_no_run_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "run.trec").write_text(f"q Q0 p 1 0.5 t\n{line}\n")
    with pytest.raises(RunError, match="line 2"):
        read_run(tmp_path / "run.trec")


def test_an_empty_id_is_refused_and_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="empty id"):
        write_run(tmp_path / "run.trec", {"q": [RankedPage("p", 1.0), RankedPage("", 1.0)]}, tag="t")
    assert list(tmp_path.iterdir()) == []


def test_relevance_names_each_right_page_once(tmp_path: Path) -> None:
    outputs = (Answer("a", (Provenance("p"), Provenance(" q "))), Answer("b", (Provenance("p"),)), Answer("c"))
    write_relevance(tmp_path / "qrels", [Example("x", "?", outputs), Example("y", "?")])
    assert (tmp_path / "qrels").read_text() == "x 0 p 1\nx 0 q 1\n"
