"""Samples of drafts: who is chosen depends on ids alone, and only the chosen examples are made."""

from __future__ import annotations

import functools
import random

import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.tasks.by_digest import Draft, in_order, sample

IDS = [f"example-{number}" for number in range(200)]


def drafts(made: list[str], ids: list[str]) -> list[Draft]:
    def make(name: str) -> Example:
        made.append(name)
        return Example(name, f"question of {name}")

    return [Draft(name, ("page",), functools.partial(make, name)) for name in ids]


@pytest.mark.parametrize("size", [0, 1, 2, 7, 50, 199, 200, 201, 1000])
def test_the_first_ids_by_digest_are_chosen_and_no_others_made(size: int) -> None:
    made: list[str] = []
    shuffled = random.Random(size).sample(IDS, len(IDS))
    assert [one.id for one in sample(drafts(made, shuffled), size)] == in_order(IDS)[:size] == made


def test_a_draft_of_an_example_knows_the_pages_of_all_its_evidence() -> None:
    places = (Provenance("a"), Provenance("b")), (Provenance("a"),), ()
    example = Example("one", "question", tuple(Answer("yes", evidence) for evidence in places))
    draft = Draft.of(example)
    assert (draft.id, draft.pages, draft.make()) == ("one", ("a", "b", "a"), example)
