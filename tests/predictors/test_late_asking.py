from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch
from reml.contract.retrievers import Retriever
from reml.predictors.late.asking import after, chain, fits_of_chain
from reml.predictors.late.templates import ASK
from reml.predictors.late_reader import LateReader
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection

TITLES = ["Chad", "Libya", "Peru", "Brazil", "Norway", "Sweden"]
TEXTS = [
    "beside it lies Libya",
    "the capital is tripoli",
    "beside it lies Brazil",
    "the capital is brasilia",
    "beside it lies Sweden",
    "the capital is stockholm",
]
CAPITALS = {"Chad": "tripoli", "Peru": "brasilia", "Norway": "stockholm"}
COLLECTION = MemoryCollection(TEXTS, TITLES)


def chained(country: str) -> Example:
    first = TITLES.index(country)
    places = tuple(Provenance.of(item) for item in COLLECTION.get(np.array([first, first + 1])))
    asked = f"capital of what lies beside {country}"
    return Example(country, asked, (Answer(CAPITALS[country], places),))


@pytest.fixture(scope="module")
def retriever(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return BM25().index(COLLECTION, tmp_path_factory.mktemp("bm25") / "index")


def batch(retriever: Retriever, examples: Sequence[Example], asks: int | None = None) -> Batch:
    access = InformationAccess(retriever, limits=Limits(depth=6, k=2, asks=asks), name="bm25")
    return Batch(tuple(examples), {"bm25": access.open(examples)})


def trained(model: str, retriever: Retriever, examples: Sequence[Example]) -> LateReader:
    torch.manual_seed(0)
    reader = LateReader(model, size=32, item_tokens=32, question_tokens=16, template_examples=3, hops=2)
    optimizer = torch.optim.Adam(reader.network.parameters(), lr=1e-2)
    for _ in range(80):
        loss = reader.train().loss(batch(retriever, examples)).loss.mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return reader.eval()


@pytest.fixture(scope="module")
def reader(tiny_bert: str, retriever: Retriever) -> LateReader:
    return trained(tiny_bert, retriever, list(map(chained, CAPITALS)))


def test_what_the_first_page_names_is_asked_for_and_the_second_answers(
    reader: LateReader, retriever: Retriever
) -> None:
    given = batch(retriever, [chained(country).unanswered for country in CAPITALS])
    answers = reader.generate(given)
    assert [answer.text for answer in answers] == list(CAPITALS.values())
    assert [[one.title for one in answer.provenance[:2]] for answer in answers] == [
        ["Chad", "Libya"],
        ["Peru", "Brazil"],
        ["Norway", "Sweden"],
    ]
    asked = given.sessions["bm25"].asked
    assert [queries.texts for queries, _ in asked][1] == (
        "Libya capital of what lies beside Chad",
        "Brazil capital of what lies beside Peru",
        "Sweden capital of what lies beside Norway",
    )


def test_a_description_is_read_first_and_the_rest_with_the_name_of_what_it_describes(
    tiny_bert: str, retriever: Retriever
) -> None:
    """The first list is read for what is described, whatever is asked of it."""
    examples = [replace(chained(one), input=f"capital of the land that lies beside {one}?") for one in CAPITALS]
    reader = trained(tiny_bert, retriever, examples)
    # The same description in a question that was never seen, of which nothing stands in the first page.
    unseen = [replace(one, input=one.input.replace("capital", "the seat")).unanswered for one in examples]
    given = batch(retriever, unseen)
    reader.generate(given)
    assert [queries.texts for queries, _ in given.sessions["bm25"].asked][1] == (
        "the seat of Libya?",
        "the seat of Brazil?",
        "the seat of Sweden?",
    )


def test_a_reader_of_one_hop_never_asks(reader: LateReader, retriever: Retriever, tiny_bert: str) -> None:
    once = LateReader(tiny_bert, size=32, item_tokens=32, question_tokens=16)
    once.load_state_dict(reader.state_dict())
    given = batch(retriever, [chained("Chad").unanswered])
    (answer,) = once.eval().generate(given)
    assert ASK not in str(answer.text)
    assert len(given.sessions["bm25"].asked) == 1


def test_where_no_further_ask_is_allowed_it_answers_at_once(reader: LateReader, retriever: Retriever) -> None:
    (answer,) = reader.generate(batch(retriever, [chained("Chad").unanswered], asks=1))
    assert ASK not in str(answer.text)


def test_without_access_it_answers_at_once(reader: LateReader) -> None:
    (answer,) = reader.generate(Batch((chained("Chad").unanswered,)))
    assert ASK not in str(answer.text)


def test_an_answer_of_one_page_is_learnt_from_the_first_list(reader: LateReader, retriever: Retriever) -> None:
    (item,) = COLLECTION.get(np.array([1]))
    example = Example("a", "capital of Libya", (Answer("tripoli", (Provenance.of(item),)),))
    given = batch(retriever, [example])
    reader.loss(given)
    assert chain(example) == ()
    assert len(given.sessions["bm25"].asked) == 1


def test_only_items_with_evidence_tell_what_to_ask() -> None:
    example = chained("Chad")
    items = COLLECTION.get(np.arange(6))
    found = [fits_of_chain(example.answers, chain(example), item) for item in items]
    asks = [{fit.span for fits in one for fit in fits if fit.span and fit.pattern.startswith(ASK)} for one in found]
    assert asks == [{"Libya"}, set(), set(), set(), set(), set()]
    assert fits_of_chain(example.answers, chain(example), None) == [[], [], []]


def test_the_page_that_was_asked_from_comes_first() -> None:
    one, other, third = (Provenance(wikipedia_id=name, title=name) for name in "abc")
    assert after(Answer(ASK + "b", (one, third)), Answer("x", (other, one))) == Answer("x", (one, other, third))
