from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.testing import MemoryCollection
from reml.training.data.pseudo_queries import PseudoQueries

TEXTS = ["one two three four five six", "seven eight", ""]
COLLECTION = MemoryCollection(TEXTS, ["First", "Second", "Third"])


def inputs(seed: int = 0, **settings: float) -> list[str]:
    made = PseudoQueries(**settings)  # type: ignore[arg-type]
    return [example.input for example in made.examples(COLLECTION, seed)]


@given(st.integers(1, 4), st.integers(0, 3), st.integers(0, 9))
def test_queries_are_runs_of_words_of_an_item(shortest: int, more: int, seed: int) -> None:
    for query in inputs(seed, count=20, shortest=shortest, longest=shortest + more, title=0.0):
        text = next(text for text in TEXTS if query in text)
        if not query:
            continue  # of the item without words
        assert f" {query} " in f" {text} "
        assert min(shortest, len(text.split())) <= len(query.split()) <= shortest + more


def test_titles_stand_before_some() -> None:
    title_of = {"one": "First", "seven": "Second"}
    with_titles = inputs(count=40, shortest=6, longest=6, title=1.0)
    assert set(with_titles) == {"First one two three four five six", "Second seven eight", "Third "}
    mixed = inputs(count=100, shortest=6, longest=6, title=0.5)
    assert 25 < sum(query.split(" ")[0] in {*title_of.values(), "Third"} for query in mixed) < 75


def test_all_words_are_drawn_and_draws_follow_the_seed() -> None:
    queries = inputs(count=300, shortest=1, longest=1, title=0.0)
    assert set(queries) == {*TEXTS[0].split(), *TEXTS[1].split(), ""}
    assert inputs(count=100) == inputs(count=100)
    assert inputs(count=100) != inputs(1, count=100)


def test_runs_of_scripts_without_spaces_are_as_short() -> None:
    text = "東京は日本の首都であり、最大の都市である。"
    made = PseudoQueries(count=50, shortest=2, longest=4, title=0.0).examples(MemoryCollection([text]), 0)
    assert all(example.input in text and 3 <= len(example.input) <= 10 for example in made)


def test_no_label_is_made() -> None:
    examples = PseudoQueries(count=9).examples(COLLECTION, 0)
    assert not any(example.output for example in examples)
    assert len({example.id for example in examples}) == 9


@pytest.mark.parametrize("wrong", [{"count": 0}, {"shortest": 0}, {"shortest": 3, "longest": 2}, {"title": 1.5}])
def test_wrong_settings_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="count and shortest must be 1 or more"):
        PseudoQueries(**wrong)  # type: ignore[arg-type]
