from __future__ import annotations

from reml.comparison.conditions import Condition, controls

PDIST = Condition("a", "pdist")


def test_a_title_says_objective_and_control() -> None:
    titles = [one.title for one in (Condition("a"), PDIST, Condition("a", "pdist", "shuffled"))]
    assert titles == ["frozen", "pdist", "pdist, shuffled"]


def test_what_learns_is_neither_frozen_nor_a_control() -> None:
    assert [one.learns for one in (Condition("a"), PDIST, Condition("a", "pdist", "shuffled"))] == [False, True, False]


def test_controls_are_the_frozen_retriever_and_those_of_the_same_objective() -> None:
    own, other = Condition("a", "pdist", "untrained"), Condition("a", "loop", "untrained")
    elsewhere = Condition("b", "pdist", "untrained")
    assert controls([PDIST, own, other, elsewhere], PDIST) == [Condition("a"), own]
