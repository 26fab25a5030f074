from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.examples import Answer, Example, Item, Provenance, Span
from reml.predictors.reading.pointers import evidence_places, index_of, is_pointing, parsed, pointing


def test_places_are_counted_from_one_in_inputs_and_outputs() -> None:
    assert index_of(0) == " index: 1"
    assert pointing([0, 2]) == "index: 1,3 text:"
    assert pointing([]) == "index: text:"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("index: 1,3 text: Paris", ((0, 2), "Paris")),
        ("index: 3,1 text: Paris", ((2, 0), "Paris")),  # in the order in which they were pointed to
        ("Index : 2 , 2 text : the city", ((1,), "the city")),  # as a tokeniser of words writes it; each once
        ("index: text: Paris", ((), "Paris")),
        ("index: 9,0,01,-,2x text: Paris", ((1,), "Paris")),  # no such places; what is no number is passed over
        ("index: 1 and 12 text: a text: b", ((0,), "a text: b")),
        ("index: 1 text:", ((0,), "")),
        ("index: 1 Paris", ((), "index: 1 Paris")),  # no text
        ("text: Paris", ((), "text: Paris")),  # no index
        ("in Paris index: 1 text: a", ((), "in Paris index: 1 text: a")),
        ("", ((), "")),
        ("index: " + "1" * 5000 + " text: a", ((), "a")),
    ],
)
def test_an_output_is_taken_apart(output: str, expected: tuple[tuple[int, ...], str]) -> None:
    assert parsed(output, range(4)) == expected


def test_items_that_were_not_read_are_not_pointed_to() -> None:
    assert parsed("index: 1,2,3 text: a", {0: "", 2: ""}) == ((0, 2), "a")


@given(st.lists(st.integers(0, 40), unique=True), st.text("abc: 123"))
def test_what_is_written_is_what_is_taken_apart(places: list[int], text: str) -> None:
    assert parsed(f"{pointing(places)} {text}", range(41)) == (tuple(places), text.strip())
    assert is_pointing(pointing(places))


def test_what_stands_before_the_text_is_told_from_all_shorter_and_longer() -> None:
    assert [is_pointing(said) for said in ("", "index: 1", "index: 1 text", "index: 1 text: ", "index: 1 text: a")] == [
        False,
        False,
        False,
        True,
        False,
    ]


def test_the_items_that_overlap_evidence_are_pointed_to() -> None:
    """Page 7: its first paragraph is evidence, its second is not; a whole page holds both; page 8 is another."""
    items = {
        3: Item(0, page_id="7", span=Span(1, 0, 1, 9)),
        1: Item(1, page_id="7", span=Span(2, 0, 2, 9)),
        0: Item(2, page_id="8", span=Span(1, 0, 1, 9)),
        2: Item(3, page_id="7"),
    }
    spans = Answer("a", (Provenance("7", None, 1, 4, 1, 6),))
    assert evidence_places(Example("q", "?", (spans,)), items) == (2, 3)
    page = Answer("a", (Provenance("7"),))
    assert evidence_places(Example("q", "?", (page,)), items) == (1, 2, 3)
    two = (Answer("a", (Provenance("8"),)), spans)
    assert evidence_places(Example("q", "?", two), items) == (0, 2, 3)
    assert evidence_places(Example("q", "?", (Answer("a"),)), items) == ()
