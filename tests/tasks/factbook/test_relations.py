from __future__ import annotations

import re

import pytest
import Stemmer

from reml.tasks.factbook.pages import factbook_pages
from reml.tasks.factbook.relations import Relation, facts, find_fact, relations
from reml.tasks.factbook.splits import subjects

# Words that questions are built with; what is left of a wording is what it asks for.
FUNCTION_WORDS = frozenset({"a", "and", "at", "by", "for", "in", "of", "on", "s", "the", "to"})


def test_there_are_enough_relations_and_wordings() -> None:
    assert len(relations()) >= 25
    assert len({relation.name for relation in relations()}) == len(relations())
    for relation in relations():
        counts = {kind: len(wordings) for kind, wordings in relation.wordings.items()}
        assert counts["questions"] >= 4, relation.name
        assert counts["oblique"] >= 2, relation.name
        assert min(counts.values()) >= 1, relation.name


@pytest.mark.parametrize("relation", relations(), ids=lambda relation: str(relation.name))
def test_wordings_have_their_places_and_none_comes_twice(relation: Relation) -> None:
    asked = [*relation.wordings["questions"], *relation.wordings["held_out"], *relation.wordings["oblique"]]
    stated = [*relation.wordings["claims"], *relation.wordings["held_out_claims"]]
    followed = [*relation.wordings["follow_ups"], *relation.wordings["held_out_follow_ups"]]
    assert all(re.findall(r"\{\w*\}", wording) == ["{x}"] for wording in asked)
    assert all(sorted(re.findall(r"\{\w*\}", wording)) == ["{x}", "{y}"] for wording in stated)
    assert not any("{" in wording for wording in followed)
    everything = [*asked, *stated, *followed]
    assert len(set(everything)) == len(everything)


@pytest.mark.parametrize("relation", relations(), ids=lambda relation: str(relation.name))
def test_oblique_wordings_avoid_the_words_of_the_field(relation: Relation) -> None:
    field = content_words(f"{relation.field} {relation.part}")
    for wording in relation.wordings["oblique"]:
        assert not field & content_words(wording.replace("{x}", "")), wording


@pytest.mark.parametrize(
    ("page_id", "name", "values"),
    [
        ("cd", "capital", ("N'Djamena",)),
        (
            "cd",
            "total area",
            (
                "1.284 million sq km",
                "1,284,000 sq km",
                "1.284 million",
                "1,284,000",
                "1.284 million square kilometers",
                "1,284,000 square kilometers",
            ),
        ),
        ("cd", "highest point", ("Emi Koussi",)),
        ("cd", "date of independence", ("11 August 1960",)),
        ("cd", "independence from", ("France",)),
        ("cd", "national anthem", ("La Tchadienne", "The Chadian")),
        ("fr", "chief of state", ("Emmanuel MACRON", "President Emmanuel MACRON")),
        ("fr", "currency", ("euros", "EUR")),
        ("ja", "national holiday", ("Birthday of Emperor NARUHITO",)),
    ],
)
def test_values_are_those_of_the_page(page_id: str, name: str, values: tuple[str, ...]) -> None:
    fact = facts(page_id)[name]
    assert fact.values[0] == values[0]
    assert set(fact.values) == set(values)


def test_what_is_not_a_clean_value_is_left_out() -> None:
    assert "coastline" not in facts("cd")  # landlocked: 0 km
    assert "independence from" not in facts("pc")
    assert "capital" not in facts("nr")  # no official capital


def test_most_countries_have_most_relations() -> None:
    pages = [page for split in ("train", "dev", "test") for page in subjects(split)]
    for relation in relations():
        assert sum(find_fact(page, relation) is not None for page in pages) >= 100, relation.name


def test_values_are_short_and_without_leftovers_of_the_text() -> None:
    for page_id in factbook_pages():
        for fact in facts(page_id).values():
            assert 0 < len(fact.value) <= 120, fact
            assert fact.value == fact.value.strip(" ;,:()"), fact


def content_words(text: str) -> set[str]:
    stem = Stemmer.Stemmer("english").stemWord
    return {stem(word) for word in re.findall(r"[a-z]+", text.lower()) if word not in FUNCTION_WORDS}
