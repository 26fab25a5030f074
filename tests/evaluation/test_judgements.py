"""Right answers and predictions from records and from examples."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from reml.contract.examples import Answer, Example, Json, Provenance
from reml.evaluation.judgement_lines import gold_of, guess_of
from reml.evaluation.judgements import Gold, Guess
from reml.evaluation.kilt import Scorer
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


NOT_NAMED: tuple[Json, ...] = ({"wikipedia_id": None}, {"wikipedia_id": ""}, {"wikipedia_id": " \t"}, {"title": "t"})


@pytest.mark.parametrize("gold_place", NOT_NAMED)
@pytest.mark.parametrize("guess_place", [*NOT_NAMED, {"wikipedia_id": "None"}])
@pytest.mark.parametrize("read", [json.dumps, None])
def test_a_page_that_is_not_named_is_no_evidence(
    gold_place: Json, guess_place: Json, read: Callable[[Json], str] | None
) -> None:
    right: Json = {"id": "x", "input": "q", "output": [{"answer": "a", "provenance": [gold_place]}]}
    given: Json = {"id": "x", "output": [{"answer": "a", "provenance": [guess_place, {"wikipedia_id": "7"}]}]}
    gold, guess = (gold_of(read(right)), guess_of(read(given))) if read else (Gold.parse(right), Guess.parse(given))
    assert gold.page_sets == sets("")
    assert guess.pages[-1] == "7"
    assert len(guess.pages) == 1 + (guess_place == {"wikipedia_id": "None"})
    scorer = Scorer([gold])
    scorer.add(0, guess)
    scores = scorer.result()
    assert scores.mean("em") == 1
    assert {scores.mean(name) for name in ("Rprec", "KILT-em", "precision@1", "recall@5", "success_rate@5")} == {0}


def test_a_page_beside_one_that_is_not_named_counts_as_before() -> None:
    places: Json = [{"wikipedia_id": None}, {"wikipedia_id": "1"}]
    gold = Gold.parse({"id": "x", "input": "q", "output": [{"answer": "a", "provenance": places}]})
    assert gold.page_sets == sets("1")
    assert gold.evidence_sets == (frozenset({"1", ""}),), "as KILT has it: the set is never whole"
    example = Example("x", "q", (Answer("a", (Provenance(" "), Provenance("1"))),))
    assert Gold.of(example) == gold
    assert Guess.of("x", Answer("a", (Provenance(""), Provenance("1")))).pages == ("1",)
