"""Answers and titles in the text of the provenance, by hand and against the definition."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from reml.evaluation.answers import normalise
from reml.evaluation.context import ContextRanks, context_ranks

NOWHERE = math.inf


def test_first_places() -> None:
    texts = ["nothing", "The Eiffel Tower", "It stands in Paris.", "The Eiffel tower, Paris"]
    ranks = context_ranks(texts, answers={"paris"}, titles={"eiffel tower"}, depth=4)
    assert ranks == ContextRanks(answer=3, entity=2, both=4)


def test_texts_beyond_the_depth_and_missing_texts_do_not_count() -> None:
    ranks = context_ranks([None, "Paris", "Paris"], answers={"paris"}, titles={"rome"}, depth=2)
    assert ranks == ContextRanks(answer=2, entity=NOWHERE, both=NOWHERE)
    assert context_ranks([None, "x", "Paris"], answers={"paris"}, titles=set(), depth=2) == ContextRanks()


def test_an_answer_is_found_within_a_word_and_across_an_article() -> None:
    assert context_ranks(["start"], answers={"art"}, titles=set(), depth=1).answer == 1
    assert context_ranks(["lord of the rings"], answers={"lord of rings"}, titles=set(), depth=1).answer == 1


def test_an_answer_that_is_only_an_article_is_everywhere_there_is_text() -> None:
    assert context_ranks([None, ""], answers={normalise("The")}, titles=set(), depth=2).answer == 2


words = st.lists(st.sampled_from(["the", "The.", "a", "b", "ab", "b-a", "c", "a\N{EN DASH}b"]), max_size=6).map(
    " ".join
)


@given(st.lists(st.none() | words, max_size=4), st.sets(words, max_size=3), st.sets(words, max_size=3))
def test_equals_the_definition(texts: list[str | None], answers: set[str], titles: set[str]) -> None:
    wanted_answers, wanted_titles = {normalise(text) for text in answers}, {normalise(text) for text in titles}
    found = [(place, normalise(text)) for place, text in enumerate(texts, 1) if text is not None]
    has_answer = [place for place, text in found if any(answer in text for answer in wanted_answers)]
    has_title = [place for place, text in found if any(title in text for title in wanted_titles)]
    both = [place for place in has_answer if place in has_title]
    ranks = context_ranks(texts, answers=wanted_answers, titles=wanted_titles, depth=4)
    assert ranks.both == min(both, default=NOWHERE)
    assert ranks.answer == min(has_answer, default=NOWHERE)
    assert ranks.entity == min(has_title, default=NOWHERE)
