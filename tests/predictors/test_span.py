from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.predictors.span import FLOOR, Span
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract, learn


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bert: str) -> None:
        self.folder = tiny_bert

    def make(self) -> Predictor:
        return Span(self.folder, input_tokens=64, answer_tokens=12)


@pytest.fixture
def predictor(tiny_bert: str) -> Predictor:
    torch.manual_seed(0)
    return Span(tiny_bert, input_tokens=64, answer_tokens=12).eval()


class TestSpan(ReaderContract):
    pass


def test_all_places_of_all_right_answers_count(predictor: Span) -> None:
    # With logits of zero each of the n tokens of title and text starts or ends the span with probability 1 / n.
    torch.nn.init.zeros_(predictor.ends.weight)
    torch.nn.init.zeros_(predictor.ends.bias)
    collection = MemoryCollection(["chad is a country , chad", "the river"], ["chad", "city"])
    responses = gather(collection, Hits(np.array([[0, 1]]), np.zeros((1, 2), np.float32)))
    example = Example("a", "what", (Answer("Chad"), Answer("country")))
    prediction = predictor.loss(Batch.of([example], responses), Signal.ITEM_LIKELIHOOD)
    # The first item has 7 tokens and 4 right places, both together have 10 tokens.
    assert prediction.read_credit.item_log_likelihood is not None
    assert prediction.read_credit.item_log_likelihood[0].tolist() == pytest.approx([math.log(4 / 49), FLOOR], rel=1e-5)
    assert prediction.loss.tolist() == pytest.approx([-math.log(4 / 100)], rel=1e-5)


def test_an_answer_that_stands_nowhere_teaches_nothing(predictor: Span, collection: MemoryCollection) -> None:
    responses = gather(collection, Hits(np.array([[1]]), np.zeros((1, 1), np.float32)))
    loss = predictor.loss(Batch.of([Example("a", "what", (Answer("river"),))], responses)).loss
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert loss.tolist() == [-FLOOR]
    gradients = [parameter.grad for parameter in predictor.parameters() if parameter.grad is not None]
    assert all(gradient.abs().sum() == 0 for gradient in gradients)


def test_it_learns_to_cut_with_case_and_accents(
    tiny_bert: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    torch.manual_seed(0)
    predictor = Span(tiny_bert, input_tokens=64)
    responses = gather(collection, hits)
    losses = learn(predictor, examples, responses, steps=40, rate=3e-3)
    assert losses[-1] < 0.2 * losses[0]
    assert [answer.text for answer in predictor.generate(Batch.of(examples, responses))] == [
        "N'Djamena",
        "Paris",
        "Bogotá",
    ]


def test_it_cuts_titles_and_puts_their_item_first(tiny_bert: str, collection: MemoryCollection) -> None:
    torch.manual_seed(0)
    predictor = Span(tiny_bert, input_tokens=64)
    linking = [Example("a", "the [START_ENT] river [END_ENT]", (Answer("Rivers"),))]
    responses = gather(collection, Hits(np.array([[0, 2, 1]]), np.zeros((1, 3), np.float32)))
    learn(predictor, linking, responses, steps=30, rate=3e-3)
    answer = predictor.generate(Batch.of(linking, responses))[0]
    assert answer.text == "Rivers"
    assert [one.title for one in answer.provenance] == ["Rivers", "Chad", "France"]


def test_without_items_it_says_nothing(predictor: Span, examples: list[Example]) -> None:
    assert predictor.generate(Batch.of(examples, empty(3))) == [Answer("")] * 3


def test_a_signal_of_other_predictors_names_them(predictor: Span, examples: list[Example]) -> None:
    with pytest.raises(ValueError, match="Span cannot give ATTENTION: FiD and CopyFiD give it"):
        predictor.loss(Batch.of(examples, empty(3)), Signal.ATTENTION)
