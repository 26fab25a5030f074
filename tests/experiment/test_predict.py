from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.access.responses import empty, gather
from reml.collection.ranked_pages import ROWS_AT_ONCE
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.experiment.predict import NO_ANSWER, complete, distinct_pages, predict
from reml.testing import TEXTS, MemoryCollection
from tests.counting_collection import CountingCollection, many_hits
from tests.first_words import FirstWords
from tests.pageless_collection import Pageless

COLLECTION = MemoryCollection(TEXTS)
EXAMPLES = [Example("1", "?"), Example("2", "?")]


def hits() -> Hits:
    rows = np.array([[2, 0, 4], [3, -1, -1]], dtype=np.int64)
    return Hits(rows, np.where(rows >= 0, 1.0, -np.inf).astype(np.float32))


def test_each_example_gets_its_answer_without_gradient() -> None:
    predictor = FirstWords(words=2.0)
    answers = predict(predictor, Batch.of(EXAMPLES, gather(COLLECTION, hits())))
    assert [answer.text for answer in answers] == ["The parliament", "Copper and"]
    assert predictor.words.grad is None
    assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_an_answer_without_text_says_so(text: str | None) -> None:
    class Silent(FirstWords):
        def generate(self, batch: Batch) -> list[Answer]:
            return [Answer(text, (Provenance("p"),))]

    assert predict(Silent(), Batch.of(EXAMPLES[:1], empty(1))) == [Answer(NO_ANSWER, (Provenance("p"),))]


def test_provenance_goes_on_with_the_pages_retrieved() -> None:
    own = (Provenance("4", text="own"), Provenance("9"), Provenance("4", text="second"))
    first, second = complete([Answer("a", own), Answer("b")], hits(), COLLECTION, 10)
    assert [place.wikipedia_id for place in first.provenance] == ["4", "9", "2", "0"]
    assert first.provenance[0].text == "own"
    assert [(place.wikipedia_id, place.text) for place in second.provenance] == [("3", TEXTS[3])]
    cut, _ = complete([Answer("a", own), Answer("b")], hits(), COLLECTION, 3)
    assert [place.wikipedia_id for place in cut.provenance] == ["4", "9", "2"]


def test_without_hits_the_provenance_is_the_predictor_s() -> None:
    nothing = Hits(np.empty((1, 0), np.int64), np.empty((1, 0), np.float32))
    (answer,) = complete([Answer("a", (Provenance("7"),))], nothing, COLLECTION, 5)
    assert answer == Answer("a", (Provenance("7"),))


def test_items_without_a_page_are_no_provenance() -> None:
    own = (Provenance("4", text="own"), Provenance("", text="nowhere"))
    answers = complete([Answer("a", own), Answer("b")], hits(), Pageless(COLLECTION), 10)
    assert [[place.wikipedia_id for place in answer.provenance] for answer in answers] == [["4"], []]


def test_the_first_place_of_each_page_is_kept() -> None:
    places = [Provenance("b", text="1"), Provenance("a"), Provenance("b", text="2")]
    assert distinct_pages(places) == (places[0], places[1])


def test_pages_go_on_by_batch_and_only_texts_that_are_kept_are_fetched() -> None:
    collection = CountingCollection([f"text {number}" for number in range(300)])
    found = many_hits(examples=600, depth=100, items=300)
    own = (Provenance("7"), Provenance("300"))
    answers = [Answer("a", own)] * 600
    for number, answer in enumerate(complete(answers, found, collection, 5)):
        rows = found.rows[number][found.rows[number] >= 0]
        pages = [str(row) for row in rows if row != 7][:3]
        assert [place.wikipedia_id for place in answer.provenance] == ["7", "300", *pages]
        assert answer.provenance[2].text == f"text {pages[0]}"
    assert collection.fetched <= 600 * 5, "not the texts of 100 hits for 5 pages"
    assert collection.held <= ROWS_AT_ONCE // 10, "not the items of all examples at once"
