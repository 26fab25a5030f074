"""Measures of ranked pages: by hand, as ir-measures computes them of the files, and as KILT does of a prediction."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Answer, Example, Provenance
from reml.evaluation.kilt import evaluate
from reml.evaluation.ranked import ranked_measures
from reml.evaluation.trec import rank_pages, write_relevance, write_run
from reml.evaluation.trec.page_measures import PageScorer, RankedPages, gain, page_measure_names, reciprocal_rank


def example(name: str, *sets: tuple[str, ...], **degrees: int) -> Example:
    """Make an example whose right answers each come from some pages. degrees: of relevance."""
    outputs = tuple(
        Answer(
            "x", tuple(Provenance(page, meta={"relevance": degrees[page]} if page in degrees else None) for page in one)
        )
        for one in sets
    )
    return Example(name, "?", outputs)


def scored(*pairs: tuple[Example, list[str]]) -> RankedPages:
    scorer = PageScorer()
    for one, pages in pairs:
        scorer.add(one, pages)
    return scorer.result()


@pytest.mark.parametrize(
    ("pages", "judged", "rank", "ndcg"),
    [
        (["a"], {"a": 1}, 1.0, 1.0),
        (["x", "a"], {"a": 1}, 1 / 2, 1 / math.log2(3)),
        (["x", "y", "a"], {"a": 1}, 1 / 3, 1 / 2),
        ([*"0123456789", "a"], {"a": 1}, 0.0, 0.0),
        ([*"012345678", "a"], {"a": 1}, 1 / 10, 1 / math.log2(11)),
        ([], {"a": 1}, 0.0, 0.0),
        (["x"], {}, 0.0, 0.0),
        (["b", "a"], {"a": 3, "b": 1}, 1.0, (1 + 3 / math.log2(3)) / (3 + 1 / math.log2(3))),
        (["a", "b"], {"a": 3, "b": 1}, 1.0, 1.0),
        (["a"], {"a": 3, "b": 1}, 1.0, 3 / (3 + 1 / math.log2(3))),
        (["x", "b"], {"a": 2, "b": 2}, 1 / 2, (2 / math.log2(3)) / (2 + 2 / math.log2(3))),
        (["a", "b"], {"a": -1, "b": 1}, 1 / 2, 1 / math.log2(3)),
    ],
)
def test_by_hand(pages: list[str], judged: dict[str, int], rank: float, ndcg: float) -> None:
    assert reciprocal_rank(pages, judged) == pytest.approx(rank)
    assert gain(pages, judged) == pytest.approx(ndcg)


def test_sets_of_pages_count_whole_and_the_curve_is_recall_at_every_place() -> None:
    found = scored((example("m", ("a", "b")), ["a", "x", "b"]), (example("s", ("c",)), ["c"]))
    assert found.scores.ids == ("m", "s")
    assert found.scores.values["recall@5"].tolist() == [1.0, 1.0]
    assert found.scores.values["Rprec"].tolist() == [0.5, 1.0]
    assert found.scores.values["RR@10"].tolist() == [1.0, 1.0]
    assert found.recall == (0.5, 1.0, 1.0)  # the set of two takes one place, that of its last page
    assert not found.graded


def test_what_names_no_page_counts_nowhere() -> None:
    found = scored((Example("no", "?", (Answer("x"),)), ["a"]), (example("yes", ("a",), a=2), ["a"]))
    assert found.scores.ids == ("yes",)
    assert found.graded
    nothing = scored((Example("no", "?", (Answer("x"),)), ["a"]), (example("blank", ("  ",)), ["a"]))
    assert len(nothing.scores) == 0
    assert nothing.recall == ()
    assert set(nothing.scores.values) == set(page_measure_names())


PAGES = [f"p{number}" for number in range(14)]
RANKING = st.lists(st.sampled_from(PAGES), unique=True)
SETS = st.lists(st.lists(st.sampled_from(PAGES), min_size=1, max_size=2, unique=True), min_size=1, max_size=3)


@given(SETS, RANKING)
def test_they_are_kilt_s_of_a_prediction_that_names_these_pages(sets: list[list[str]], ranking: list[str]) -> None:
    asked = example("q", *map(tuple, sets))
    kilt = evaluate([asked], [Answer("x", tuple(map(Provenance, ranking)))])
    own = scored((asked, ranking)).scores
    for name in set(own.values) & set(kilt.values):
        assert own.values[name].tolist() == kilt.values[name].tolist(), name
    assert len(set(own.values) & set(kilt.values)) == 1 + 4 + 3 + 3


def test_the_ones_of_trec_are_as_ir_measures_has_them(tmp_path: Path) -> None:
    pytest.importorskip("ir_measures", reason="the extra `measures` is not installed")
    asked = [
        example("one", ("p1",), ("p2",), ("p3",), p1=3, p2=2),
        example("two", ("p5",), p5=1),
        example("none found", ("p9",), p9=2),
        example("late", ("p13",), ("p0",), p0=4),
    ]
    rankings = [["p4", "p2", "p1", "p3"], ["p5", "p6"], ["p1"], PAGES[1:]]
    write_relevance(tmp_path / "qrels", asked)
    ranked = [rank_pages(pages, range(len(pages), 0, -1)) for pages in rankings]
    write_run(tmp_path / "run", zip([one.id for one in asked], ranked, strict=True), tag="t")
    expected = ranked_measures(tmp_path / "run", tmp_path / "qrels", ("nDCG@10", "RR@10", "P@1"))
    found = scored(*zip(asked, rankings, strict=True)).scores
    assert found.mean("nDCG@10") == pytest.approx(expected["nDCG@10"])
    assert found.mean("RR@10") == pytest.approx(expected["RR@10"])
    assert found.mean("precision@1") == pytest.approx(expected["P@1"])
