"""Runs as TREC's files: read back as they were written, ranked in one way, refused with file and line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reml.evaluation.trec import RankedPage, RunError, open_run, rank_pages, read_run, write_run


def test_the_first_passage_of_a_page_stands_for_it() -> None:
    ranking = rank_pages(["p", "q", "p", "r"], [3.0, 2.0, 1.0, 0.5, -math.inf])
    assert ranking == (RankedPage("p", 3.0), RankedPage("q", 2.0), RankedPage("r", 0.5))


def test_a_run_as_it_is_written(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {"q 1": [RankedPage("p", 1.5), RankedPage("50%", -2.0)], "q2": []}, tag="a tag")
    expected = "q\\u00201 Q0 p 1 1.5 a\\u0020tag\nq\\u00201 Q0 50% 2 -2.0 a\\u0020tag\n"
    assert (tmp_path / "run.trec").read_text() == expected


def test_equal_scores_are_written_apart(tmp_path: Path) -> None:
    write_run(tmp_path / "run.trec", {"q": [RankedPage(page, 1.0) for page in "cab"]}, tag="t")
    assert (tmp_path / "run.trec").read_text().splitlines() == [
        "q Q0 c 1 1.0 t",
        "q Q0 a 2 0.9999999403953552 t",
        "q Q0 b 3 0.9999998807907104 t",
    ]


identifiers = st.text(st.characters(codec="utf-8"), min_size=1)
scores = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 1.0])
rankings = st.lists(
    st.builds(RankedPage, identifiers, scores), min_size=1, max_size=4, unique_by=lambda one: one.page_id
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=100)
@given(st.dictionaries(identifiers, rankings, max_size=4))
def test_a_run_comes_back_in_its_order_whatever_its_scores(tmp_path: Path, given_: dict[str, list[RankedPage]]) -> None:
    write_run(tmp_path / "run.trec", given_, tag="a tag")
    found = open_run(tmp_path / "run.trec")
    assert {question: [page.page_id for page in pages] for question, pages in found.rankings.items()} == {
        question: [page.page_id for page in pages] for question, pages in given_.items()
    }
    assert found.remarks == ()


def test_scores_that_fall_come_back(tmp_path: Path) -> None:
    ranking = (RankedPage("p", 3.25), RankedPage("q", 0.1), RankedPage("r", -1e-30))
    write_run(tmp_path / "run.trec", [("q", ranking)], tag="t")
    assert read_run(tmp_path / "run.trec") == {"q": ranking}


@pytest.mark.parametrize(
    ("ranking", "why"),
    [
        ([RankedPage("p", 1.0), RankedPage("", 1.0)], "empty id"),
        ([RankedPage("p", 1.0), RankedPage("p", 0.5)], "page 'p' comes twice in the ranking of question 'q'"),
        ([RankedPage("p", math.nan)], "question 'q': a score is nan"),
        ([RankedPage("p", math.inf)], "question 'q': a score is inf"),
        ([RankedPage("\ud800", 1.0)], "half a surrogate pair"),
    ],
)
def test_what_is_no_ranking_is_refused_and_nothing_written(ranking: list[RankedPage], why: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=why):
        write_run(tmp_path / "run.trec", {"q": ranking}, tag="t")
    assert list(tmp_path.iterdir()) == []


def pages_of(path: Path, text: str) -> str:
    path.write_text(text)
    return "".join(page.page_id for page in read_run(path)["q"])


@pytest.mark.parametrize(
    ("lines", "ranked", "said"),
    [
        (["q Q0 a 1 2 t", "q Q0 b 2 1 t"], "ab", ""),
        (["q Q0 b 2 1 t", "q Q0 a 1 2 t"], "ab", ""),
        (["q Q0 a 1 1 t", "q Q0 b 2 1 t"], "ab", "1 of 1 questions have pages of equal score, such as 'a' and 'b'"),
        (["q Q0 a 2 1 t", "q Q0 b 1 1 t"], "ba", "equal score"),
        (["q Q0 b 0 1 t", "q Q0 a 0 1 t"], "ba", "equal score"),
        (["q Q0 a 1 0.0 t", "q Q0 b 2 -0.0 t"], "ab", "equal score"),
        (["q Q0 a 1 0.1 t", "q Q0 b 2 0.100000000001 t"], "ba", "equal score"),
        (["q Q0 a 1 1e300 t", "q Q0 b 2 1e299 t"], "ab", "equal score"),
        (["q Q0 b 1 1 t", "q Q0 a 2 2 t"], "ab", "1 of 1 questions have ranks that contradict their scores"),
        (["q Q0 a 7 9 t", "q Q0 b 7 1 t"], "ab", ""),
        (["q Q0 a 1 -1 t", "q Q0 b 2 -2e0 t"], "ab", ""),
        (["q Q0 a 1 1e-3 t", "r Q0 a 1 1e-3 t", "q Q0 b 2 .5e-3 t"], "ab", ""),
    ],
)
def test_a_run_is_ranked_by_score_then_rank_then_line(lines: list[str], ranked: str, said: str, tmp_path: Path) -> None:
    assert pages_of(tmp_path / "run.trec", "\n".join(lines)) == ranked
    remarks = open_run(tmp_path / "run.trec").remarks
    assert len(remarks) >= bool(said)
    assert said in " ".join(remarks)
    assert bool(said) == bool(remarks)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("q Q0 p 1 0.5", "5 fields where 6 must be"),
        ("q Q0 p q 1 0.5 t", "7 fields where 6 must be"),
        ("q Q0 p first 0.5 t", "the rank is 'first'"),
        ("q Q0 p 1.5 0.5 t", "the rank is '1.5'"),
        ("q Q0 p 1 high t", "the score is 'high'"),
        ("q Q0 p 1 nan t", "the score is 'nan'"),
        ("q Q0 p 1 -inf t", "the score is '-inf'"),
        ("q Q0 p 1 Infinity t", "the score is 'Infinity'"),
        ("q Q0 p 1 1e999 t", "the score is '1e999'"),
        ("q Q0 p 1 1_0 t", "the score is '1_0'"),
        ("q Q0 p 1 0,5 t", "the score is '0,5'"),
        ("q Q0 p 1 0x10 t", "the score is '0x10'"),
        ("no run", "2 fields where 6 must be"),
        ("q Q0 d 9 0.25 t", "page 'd' of question 'q' stands in line 1 already"),
    ],
)
def test_a_line_that_is_no_run_is_named(tmp_path: Path, line: str, why: str) -> None:
    (tmp_path / "run.trec").write_text(f"q Q0 d 1 0.5 t\n{line}\n")
    with pytest.raises(RunError, match=f"run.trec, line 2: .*{why}"):
        read_run(tmp_path / "run.trec")


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    assert pages_of(tmp_path / "run.trec", "\ufeffq Q0 a 1 1 t\n \r\n\nq Q0 b 2 0 t") == "ab"
