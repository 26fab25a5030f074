"""Measures of pages, by hand and as properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.evaluation.ranking import evidence_ranks, precision_at, r_precision, recall_at, success_at


def sets(*pages: str) -> list[frozenset[str]]:
    return [frozenset(group.split()) for group in pages]


def test_r_precision_looks_at_as_many_pages_as_are_right() -> None:
    assert r_precision(["a", "x", "b"], sets("a b")) == 0.5
    assert r_precision(["x", "a"], sets("a")) == 0.0
    assert r_precision(["b", "a"], sets("a b")) == 1.0


def test_r_precision_is_that_of_the_best_set() -> None:
    assert r_precision(["a"], sets("x y", "a b")) == 0.5
    assert r_precision(["a"], sets("", "a")) == 1.0
    assert r_precision(["a"], sets("")) == 0.0
    assert r_precision([], sets("a")) == 0.0
    assert r_precision(["a"], []) == 0.0


def test_a_set_of_two_pages_takes_the_place_of_its_last() -> None:
    # Places: a (partial, given up), x, y, then b completes the set. Ranking: x, y, {a, b}.
    assert evidence_ranks(["a", "x", "y", "b"], sets("a b")) == [3]


def test_an_incomplete_set_takes_a_place_and_never_counts() -> None:
    assert evidence_ranks(["a", "c"], sets("a b", "c")) == [2]


def test_a_page_of_two_sets_takes_two_places() -> None:
    assert evidence_ranks(["a", "b"], sets("a", "a b")) == [1, 2]


def test_depths() -> None:
    ranks, evidence = [1, 4], sets("a", "b", "c")
    assert precision_at(5, ranks) == 2 / 5
    assert recall_at(1, ranks, evidence) == 1 / 3
    assert recall_at(4, ranks, evidence) == 2 / 3
    assert recall_at(4, [], []) == 0.0
    assert success_at(3, ranks) == 1.0
    assert success_at(3, [4]) == 0.0


pages = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8)


@given(pages, st.frozensets(st.sampled_from("abcdefgh"), min_size=1))
def test_one_set_stands_where_its_last_page_does_less_the_places_given_up(
    found: list[str], right: frozenset[str]
) -> None:
    positions = [found.index(page) + 1 for page in right if page in found]
    expected = [max(positions) - (len(right) - 1)] if len(positions) == len(right) else []
    assert evidence_ranks(found, [right]) == expected


@given(pages, st.frozensets(st.sampled_from("abcdefgh"), max_size=8))
def test_sets_of_one_page_stand_where_the_page_does(found: list[str], right: frozenset[str]) -> None:
    evidence = [frozenset(page) for page in sorted(right)]
    assert evidence_ranks(found, evidence) == [place for place, page in enumerate(found, 1) if page in right]


@given(pages, st.lists(st.frozensets(st.sampled_from("abcdefgh"), min_size=1), unique=True, min_size=1, max_size=4))
def test_recall_grows_with_depth_to_the_share_of_complete_sets(
    found: list[str], evidence: list[frozenset[str]]
) -> None:
    ranks = evidence_ranks(found, evidence)
    recalls = [recall_at(depth, ranks, evidence) for depth in range(1, 40)]
    assert recalls == sorted(recalls)
    assert recalls[-1] == pytest.approx(sum(right <= set(found) for right in evidence) / len(evidence))
