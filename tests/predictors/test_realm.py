"""REALM's encoder against enumeration, its masks, and what it fills in."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import BertForMaskedLM

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.marginal import Marginal
from reml.files.model_location import ModelError
from reml.predictors.reading.masked import cloze
from reml.predictors.realm import Realm
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.conftest import END, MASK, PIECES, SIZE, START, tiny_tokeniser
from tests.predictors.contract import ReaderContract, learn


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_masked: str) -> None:
        self.folder = tiny_masked

    def make(self) -> Predictor:
        return Realm(self.folder, input_tokens=64)


@pytest.fixture
def predictor(tiny_masked: str) -> Realm:
    return Realm(tiny_masked, input_tokens=64, null_score=None).eval()


class TestRealm(ReaderContract):
    pass


@pytest.fixture
def with_null(tiny_masked: str) -> Realm:
    """With segments, too, which a saved tokeniser of this kind forgets."""
    realm = Realm(tiny_masked, input_tokens=64, null_score=0.7).eval()
    realm.tokeniser.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    return realm


# Input, its tokens before the masks and after them, and the answer with its tokens.
CLOZE = Example("a", f"the capital of {MASK} is a city", (Answer("chad"),))
BEFORE, AFTER, ANSWER = ["the", "capital", "of"], ["is", "a", "city"], ["chad"]
LONG = replace(CLOZE, output=(Answer("N'Djamena"),))
LONG_ANSWER = ["n", "'", "d", "##j", "##a", "##m", "##e", "##n"]  # the first 8 tokens of 9
PAGES = MemoryCollection(["chad is a country", "the river"], ["city", "france"])
READ = [["city", END, "chad", "is", "a", "country"], ["france", END, "the", "river"]]


def found(scores: list[float], temperature: float = 1.0) -> Responses:
    rows = np.arange(len(scores))[None]
    return replace(gather(PAGES, Hits(rows, np.array([scores], np.float32))), temperature=temperature)


def alone(realm: Realm, answer: list[str], item: list[str] | None) -> Tensor:
    """Compute log p of each token by hand: one input, all logits of the model, no padding."""
    before = [START, *BEFORE, *[MASK] * len(answer), *AFTER, END]
    tokens = [*before, *item, END] if item is not None else before
    ids = torch.tensor([[SIZE if token == MASK else PIECES.index(token) for token in tokens]])
    segments = (torch.arange(len(tokens)) >= len(before)).long()[None]
    knows = "token_type_ids" in realm.tokeniser.model_input_names
    logits: Tensor = realm.model(input_ids=ids, **({"token_type_ids": segments} if knows else {})).logits[0]
    places = [place for place, token in enumerate(before) if token == MASK]
    return logits.log_softmax(1)[places, [PIECES.index(token) for token in answer]]


@pytest.mark.parametrize(("example", "answer"), [(CLOZE, ANSWER), (LONG, LONG_ANSWER)])
def test_the_loss_is_the_marginal_over_items_and_none(with_null: Realm, example: Example, answer: list[str]) -> None:
    responses = found([1.2, -0.4], temperature=0.5)
    prior = torch.tensor([2.4, -0.8, 0.7]).softmax(0)
    each = torch.stack([alone(with_null, answer, item).sum() for item in (*READ, None)])
    prediction = with_null.loss(Batch.of([example], responses), with_null.signals)
    torch.testing.assert_close(prediction.loss, -(prior * each.exp()).sum().log()[None], rtol=1e-5, atol=1e-5)
    said = prediction.read_credit
    assert said.item_log_likelihood is not None
    assert said.null_log_likelihood is not None
    assert said.token_log_likelihood is not None
    torch.testing.assert_close(said.item_log_likelihood[0], each[:2])
    torch.testing.assert_close(said.null_log_likelihood[0], each[2:])
    for place, item in enumerate(READ):
        torch.testing.assert_close(said.token_log_likelihood[0, place], alone(with_null, answer, item))
    torch.testing.assert_close(with_null.utility(Batch.of([example], responses))[0], -prediction.loss[0] - each[2])


def test_without_a_null_it_is_the_marginal_over_items(predictor: Realm) -> None:
    responses = found([1.2, -0.4])
    each = torch.stack([alone(predictor, ANSWER, item).sum() for item in READ])
    expected = -torch.logsumexp(torch.tensor([1.2, -0.4]).log_softmax(0) + each, 0)
    torch.testing.assert_close(predictor.loss(Batch.of([CLOZE], responses)).loss[0], expected)


def test_without_items_it_is_what_is_known_without_any(predictor: Realm, with_null: Realm) -> None:
    for realm in (predictor, with_null):
        prediction = realm.loss(Batch.of([CLOZE], empty(1)), realm.signals)
        torch.testing.assert_close(prediction.loss, -alone(realm, ANSWER, None).sum()[None])
        assert prediction.read_credit.null_log_likelihood is not None
        assert prediction.read_credit.null_log_likelihood.tolist() == [[-math.inf]], "as the signal has it"
        assert realm.utility(Batch.of([CLOZE], empty(1))).tolist() == pytest.approx([0.0], abs=1e-6)


def test_its_own_loss_teaches_the_retriever_as_the_objective_does(with_null: Realm) -> None:
    """The gradient of scores is that of `Marginal(null_score)` with what it says of the items."""
    scores = torch.tensor([[1.2, -0.4]], requires_grad=True)
    prediction = with_null.loss(Batch.of([CLOZE], replace(found([0, 0]), scores=scores)), with_null.signals)
    (own,) = torch.autograd.grad(prediction.loss.sum(), scores)
    other = scores.detach().clone().requires_grad_()
    said = prediction.read_credit
    fixed = Credit(
        item_log_likelihood=said.item_log_likelihood.detach(),  # type: ignore[union-attr]
        null_log_likelihood=said.null_log_likelihood.detach(),  # type: ignore[union-attr]
    )
    loss = Marginal(null_score=0.7)(replace(found([0, 0]), scores=other), fixed, None)
    torch.testing.assert_close(loss, prediction.loss.detach())
    (taught,) = torch.autograd.grad(loss.sum(), other)
    torch.testing.assert_close(own, taught)
    assert own.abs().sum() > 0


def test_the_score_of_none_learns(tiny_masked: str) -> None:
    realm = Realm(tiny_masked, input_tokens=64)
    realm.loss(Batch.of([CLOZE], found([1.0, 2.0]))).loss.sum().backward()  # type: ignore[no-untyped-call]
    assert realm.null_score is not None
    assert realm.null_score.grad is not None
    assert realm.null_score.grad.abs() > 0


@pytest.mark.parametrize(
    ("text", "answer", "head", "tail", "said"),
    [
        (f"the capital of {MASK} is", "chad", BEFORE, ["is"], ["chad"]),
        (f"a {MASK}.", "N'Djamena", ["a"], ["."], [*LONG_ANSWER, "##a"]),
        (f"{MASK} is 0.5%", "Bogotá", [], ["is", "0", ".", "5", "%"], ["b", "##o", "##g", "##o", "##t", "##a"]),
        (f"is {MASK}-city", "1,2", ["is"], ["-", "city"], ["1", ",", "2"]),
        ("what is the capital", "chad", ["what", "is", "the", "capital"], [], ["chad"]),
    ],
)
def test_a_mask_stands_for_each_token_of_the_answer(
    predictor: Realm, text: str, answer: str, head: list[str], tail: list[str], said: list[str]
) -> None:
    made = cloze(predictor.tokeniser, Example("a", text), answer)
    tokens = predictor.tokeniser.convert_ids_to_tokens(made.tokens(3, SIZE, 32).tolist())
    assert tokens == [*head, MASK, MASK, MASK, *tail]
    assert predictor.tokeniser.convert_ids_to_tokens(list(made.answer)) == said


def test_a_long_input_is_cut_around_its_masks(predictor: Realm) -> None:
    made = cloze(predictor.tokeniser, Example("a", f"{'the ' * 50}{MASK}{' is' * 50}"), "chad")
    tokens = predictor.tokeniser.convert_ids_to_tokens(made.tokens(8, SIZE, 32).tolist())
    assert tokens == ["the"] * 16 + [MASK] * 8 + ["is"] * 8


def test_masks_in_an_item_are_no_masks(predictor: Realm) -> None:
    pages = MemoryCollection([f"{MASK} is a city"], [MASK])
    responses = gather(pages, Hits(np.array([[0]]), np.zeros((1, 1), np.float32)))
    said = predictor.loss(Batch.of([CLOZE], responses), Signal.TOKEN_LIKELIHOOD).read_credit.token_log_likelihood
    assert said is not None
    torch.testing.assert_close(said[0, 0], alone(predictor, ANSWER, [MASK, END, MASK, "is", "a", "city"]))


def test_an_answer_without_a_token_teaches_nothing(with_null: Realm) -> None:
    """A space of no width is no blank, and the tokeniser drops it."""
    examples = [replace(CLOZE, output=(Answer("\u200b"),)), CLOZE]
    loss = with_null.loss(Batch.of(examples, empty(2))).loss.tolist()
    assert loss == pytest.approx([0.0, -alone(with_null, ANSWER, None).sum().item()])


def test_several_masks_in_an_input_are_refused(predictor: Realm) -> None:
    with pytest.raises(ValueError, match=r"example 'a' has several \[MASK\]: mask one span"):
        predictor.loss(Batch.of([Example("a", f"{MASK} is {MASK}", (Answer("chad"),))], empty(1)))


def test_it_fills_in_what_it_learnt_from_the_item_that_says_it(tiny_masked: str) -> None:
    """After training it says the country of the item that tells it, wherever that stands, and names that item first."""
    torch.manual_seed(0)
    realm = Realm(tiny_masked, input_tokens=64, answer_tokens=1)
    pages = MemoryCollection(["chad is a country", "france is a country", "the river", "a city"], ["the"] * 4)
    examples = [
        Example("a", f"the country is {MASK}", (Answer("Chad"),)),
        Example("b", f"the country is {MASK}", (Answer("France"),)),
    ]
    responses = gather(pages, Hits(np.array([[2, 0], [1, 3]]), np.zeros((2, 2), np.float32)))
    losses = learn(realm, examples, responses, steps=120, rate=0.03)
    assert losses[-1] < math.log(2) + 0.1 < losses[0], "half of what is read says nothing"
    answers = realm.generate(Batch.of(examples, responses).unanswered)
    assert [answer.text for answer in answers] == ["chad", "france"]
    assert [answer.provenance[0].wikipedia_id for answer in answers] == ["0", "1"]
    utilities = realm.utility(Batch.of(examples, responses))
    for answer, utility in zip(answers, utilities.tolist(), strict=True):
        assert answer.meta is not None
        assert answer.meta["retrieval_utility"] == pytest.approx(utility, rel=1e-4)


def test_a_new_head_is_asked_for(tiny_bert: str, tiny_masked: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"has no head that says words.*`new_head: true` and train it"):
        Realm(tiny_bert)
    with pytest.raises(ModelError, match="has no mask token: name a masked language model"):
        Realm(tiny_bert, new_head=True)
    folder = tmp_path / "bert"
    BertForMaskedLM.from_pretrained(tiny_masked).bert.save_pretrained(folder)
    tiny_tokeniser(cls_token=START, sep_token=END, mask_token=MASK).save_pretrained(folder)
    realm = Realm(str(folder), new_head=True)
    parts = dict(realm.model.named_modules())
    head, embeddings = parts["cls.predictions.decoder"], parts["bert.embeddings.word_embeddings"]
    assert head.weight is embeddings.weight
    assert torch.equal(parts["cls.predictions.transform.dense"].weight, torch.eye(32))
    assert torch.isfinite(realm.loss(Batch.of([CLOZE], empty(1))).loss).all()


def test_an_input_has_room_for_its_masks(tiny_masked: str) -> None:
    with pytest.raises(ValueError, match=r"input_tokens \(28\) must be at least four times answer_tokens \(8\)"):
        Realm(tiny_masked, input_tokens=28)
