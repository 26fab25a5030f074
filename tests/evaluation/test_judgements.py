"""Right answers and predictions from records and from examples."""

from __future__ import annotations

import pytest

from reml.contract.examples import Answer, Example, Json, Provenance
from reml.evaluation.judgements import Gold, Guess
from reml.files.records import RecordError, parse_record

RECORD: Json = {
    "id": 7,
    "input": "Where is the Eiffel Tower?",
    "output": [
        {
            "answer": " Paris ",
            "provenance": [{"wikipedia_id": " 1 ", "title": "Paris"}, {"wikipedia_id": "1", "title": " "}],
        },
        {"answer": "", "provenance": [{"wikipedia_id": "2", "title": "Eiffel Tower"}, {"title": "no page"}]},
        {"answer": "Paris"},
        {"provenance": []},
    ],
}


def sets(*pages: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(group.split()) for group in pages)


def test_gold_of_a_record() -> None:
    gold = Gold.parse(RECORD)
    assert gold.id == "7"
    assert gold.answers == {"Paris"}
    assert gold.titles == {"Paris", "Eiffel Tower", "no page"}
    assert gold.page_sets == sets("1", "2", "", "")
    # A provenance without page is one that no prediction can find; an output without provenance is no evidence set.
    assert gold.evidence_sets == (*sets("1"), frozenset({"2", ""}), frozenset())


def test_gold_of_an_example_is_that_of_its_record() -> None:
    record: Json = {
        "id": "x",
        "input": "q",
        "output": [
            {"answer": "a", "provenance": [{"wikipedia_id": "1", "title": "T"}, {"wikipedia_id": "2", "title": "U"}]},
            {"answer": "b", "provenance": [{"wikipedia_id": "2", "title": "U"}, {"wikipedia_id": "1", "title": "T"}]},
            {"answer": "c"},
        ],
    }
    gold = Gold.parse(record)
    assert gold == Gold.of(parse_record(record))
    assert gold.evidence_sets == sets("1 2")
    assert gold.page_sets == sets("1 2", "1 2", "")


def test_guess_of_a_record() -> None:
    provenance: Json = [
        {"wikipedia_id": " 5", "text": "t"},
        {"title": "no page"},
        {"wikipedia_id": "5"},
        {"wikipedia_id": 6},
    ]
    guess = Guess.parse({"id": " x ", "output": [{"answer": 1521, "provenance": provenance}]})
    assert guess == Guess(id="x", answer="1521", pages=("5", "6"), texts=("t", None, None, None))


def test_guess_of_an_answer() -> None:
    places = (Provenance("5", text="t"), Provenance("5"), Provenance("6"))
    assert Guess.of("x", Answer(" a ", places)) == Guess("x", "a", ("5", "6"), ("t", None, None))


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ([], "the record is list, not an object"),
        ({"id": "x"}, "no `output`"),
        ({"id": "x", "output": {}}, "`output` is dict, not a list"),
        ({"id": "x", "output": []}, "0 outputs"),
        ({"id": "x", "output": [{"answer": "a"}, {"answer": "b"}]}, "2 outputs"),
        ({"id": "x", "output": [{"provenance": []}]}, "no answer"),
        ({"id": "x", "output": [{"answer": None}]}, "no answer"),
        ({"id": "x", "output": ["a"]}, "an item of `output` is str"),
        ({"output": [{"answer": "a"}]}, "no `id`"),
        ({"id": "x", "output": [{"answer": "a", "provenance": None}]}, "`provenance` is null"),
        ({"id": "x", "output": [{"answer": "a", "provenance": [{"text": 1}]}]}, "`text` is int"),
    ],
)
def test_what_is_wrong_with_a_prediction_is_said(record: Json, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        Guess.parse(record)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"id": "x", "output": []}, "`input` is null or missing"),
        ({"id": "x", "input": "q", "output": [{"answer": 3}]}, "`answer` is int"),
        ({"id": "x", "input": "q"}, "no `output`"),
    ],
)
def test_what_is_wrong_with_a_right_answer_is_said(record: Json, message: str) -> None:
    with pytest.raises(RecordError, match=message):
        Gold.parse(record)


def test_a_prediction_without_text_is_refused() -> None:
    with pytest.raises(RecordError, match="no answer"):
        Guess.of("x", Answer(None))


def test_an_example_without_output_has_no_answers() -> None:
    assert Gold.of(Example("x", "q")).answers == frozenset()
