from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor

from reml.access.responses import empty, gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.feedback.marginal import marginal_loss
from reml.feedback.marginal_token import marginal_token_loss
from reml.predictors.marginal.causal import Causal
from reml.predictors.marginal.encoder_decoder import EncoderDecoder
from reml.predictors.marginal.generator import Generator
from reml.predictors.marginal.rag import Rag
from reml.predictors.marginal.retgen import RetGen
from reml.predictors.reading.encoder_decoders import IGNORED, padded_targets
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract, learn, only
from tests.predictors.marginal.tables import END, TableGenerator, by_token, every_answer, tables

WAYS: list[dict[str, Any]] = [
    {"marginal": "sequence", "decoding": "thorough", "width": 2},
    {"marginal": "sequence", "decoding": "fast", "width": 2},
    {"marginal": "token", "width": 2},
    {"marginal": "token", "width": 1},
]


def causal(folder: str) -> Callable[[], Causal]:
    return partial(Causal, folder, input_tokens=400, answer_tokens=6)


def encoder_decoder(folder: str) -> Callable[[], EncoderDecoder]:
    return partial(EncoderDecoder, folder, input_tokens=64, answer_tokens=12)


class TestCausalContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_llama: str) -> None:
        self.folder = tiny_llama

    def make(self) -> Predictor:
        return Rag(causal(self.folder), marginal="token", width=2)


class TestEncoderDecoderContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_t5: str) -> None:
        self.folder = tiny_t5

    def make(self) -> Predictor:
        return Rag(encoder_decoder(self.folder), width=2)


class TestSequence(ReaderContract):
    @pytest.fixture
    def predictor(self, tiny_bart: str) -> Predictor:
        return Rag(encoder_decoder(tiny_bart), width=2).eval()


class TestToken(ReaderContract):
    @pytest.fixture
    def predictor(self, tiny_llama: str) -> Predictor:
        return Rag(causal(tiny_llama), marginal="token", width=2).eval()


class TestFast(ReaderContract):
    @pytest.fixture
    def predictor(self, tiny_t5: str) -> Predictor:
        return Rag(encoder_decoder(tiny_t5), decoding="fast", width=2).eval()


@pytest.fixture
def responses(collection: MemoryCollection, hits: Hits) -> Responses:
    scores = torch.tensor([[0.3, -1.0, 2.0], [1.0, 1.5, -torch.inf], [0.5, -torch.inf, -torch.inf]])
    return replace(gather(collection, hits), scores=scores.requires_grad_())


@pytest.mark.parametrize("make", [causal, encoder_decoder])
@pytest.mark.parametrize("marginal", ["sequence", "token"])
def test_the_loss_and_its_gradient_are_those_of_the_objective_of_the_same_name(
    make: Any, marginal: Any, request: pytest.FixtureRequest, examples: list[Example], responses: Responses
) -> None:
    folder = request.getfixturevalue("tiny_llama" if make is causal else "tiny_bart")
    predictor = Rag(make(folder), marginal=marginal).eval()
    found = predictor.loss(Batch.of(examples, responses), predictor.signals)
    credit = found.read_credit
    assert credit.token_log_likelihood is not None
    assert credit.item_log_likelihood is not None
    assert credit.target_mask is not None
    if marginal == "sequence":
        expected = marginal_loss(responses.scores, credit.item_log_likelihood, responses.mask)
    else:
        expected = marginal_token_loss(
            responses.scores, credit.token_log_likelihood, mask=responses.mask, target_mask=credit.target_mask
        )
    torch.testing.assert_close(found.loss, expected)
    leaves = [responses.scores, *predictor.parameters()]
    ours, theirs = (
        torch.autograd.grad(loss.sum(), leaves, retain_graph=True, allow_unused=True) for loss in (found.loss, expected)
    )
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    assert ours[0] is not None
    assert (ours[0].abs().sum(1)[:2] > 0).all(), "of two items or more, the scores are told how to move"
    assert torch.isfinite(ours[0]).all()


def test_a_temperature_flattens_the_prior(tiny_t5: str, examples: list[Example], responses: Responses) -> None:
    predictor = Rag(encoder_decoder(tiny_t5)).eval()
    warm = predictor.loss(Batch.of(examples, replace(responses, temperature=2.0))).loss
    halved = predictor.loss(Batch.of(examples, replace(responses, scores=responses.scores / 2))).loss
    torch.testing.assert_close(warm, halved)
    assert not torch.allclose(warm, predictor.loss(Batch.of(examples, responses)).loss, atol=1e-4)


def test_the_scores_alone_can_learn(tiny_t5: str, examples: list[Example], responses: Responses) -> None:
    """With the generator frozen the scores go to the item that makes the answer likely: nothing else is asked."""
    predictor = Rag(encoder_decoder(tiny_t5)).eval().requires_grad_(False)
    scores = torch.zeros(3, 3, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.2)
    likelihood = predictor.loss(Batch.of(examples, responses), predictor.signals).read_credit.item_log_likelihood
    assert likelihood is not None
    for _ in range(40):
        loss = predictor.loss(Batch.of(examples, replace(responses, scores=scores))).loss.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert (scores.masked_fill(~responses.mask, -torch.inf).argmax(1) == likelihood.argmax(1)).all()


@pytest.mark.parametrize("marginal", ["sequence", "token"])
def test_it_learns_to_answer_and_all_decodings_say_so(
    marginal: str, tiny_t5: str, examples: list[Example], responses: Responses
) -> None:
    torch.manual_seed(0)
    learnt = Rag(encoder_decoder(tiny_t5), marginal=marginal)  # type: ignore[arg-type]
    fixed = replace(responses, scores=responses.scores.detach())
    losses = learn(learnt, examples, fixed, steps=60, rate=1e-2)
    assert losses[-1] < 0.05 * losses[0]
    for way in WAYS:
        predictor = Rag(encoder_decoder(tiny_t5), **way).eval()
        predictor.load_state_dict(learnt.state_dict())
        answers = predictor.generate(Batch.of(examples, fixed))
        assert [answer.text for answer in answers] == ["n ' djamena", "paris", "bogota"]


@pytest.mark.parametrize("way", WAYS[:3])
def test_the_answer_is_the_likeliest_of_full_enumeration(
    way: dict[str, Any], tiny_llama: str, examples: list[Example], responses: Responses
) -> None:
    """All answers of one token, each scored after each item by one pass: a beam that holds them all agrees."""
    predictor = Rag(partial(Causal, tiny_llama, input_tokens=400, answer_tokens=1), **{**way, "width": 300}).eval()
    generator, given = predictor.generator, only(responses, 1, [0, 1])
    begun = generator.read(examples[1:2], given).begin()
    said = [token for token in range(begun.log_next.shape[1]) if torch.isfinite(begun.log_next[:, token]).all()]
    answers = [[token] for token in said if token != generator.end]
    likelihood = torch.stack([_each(generator, examples[1], only(given, 0, [place]), answers) for place in range(2)])
    joint = given.log_prior[0, :, None, None] + likelihood  # [K, N, T]
    if predictor.marginal == "token":
        there = padded_targets([[*one, generator.end] for one in answers]) != IGNORED
        marginal = joint.logsumexp(0).masked_fill(~there, 0.0).sum(1)
    else:
        marginal = (given.log_prior[0, :, None] + likelihood.sum(2)).logsumexp(0)
    best = answers[int(marginal.argmax())]
    (answer,) = predictor.generate(Batch.of(examples[1:2], given))
    assert answer.text == generator.text(best)
    assert len(answers) > 250


@torch.no_grad()
def _each(generator: Generator, example: Example, given: Responses, answers: list[list[int]]) -> Tensor:
    """Give log p of each token of N answers and of their ends after one item, [N, T]."""
    targets = padded_targets([[*answer, generator.end] for answer in answers])
    return generator.read([example], given).log_likelihood(torch.zeros(len(targets), dtype=torch.int64), targets)


@pytest.mark.parametrize("way", [*WAYS[:3], None])
def test_answers_and_their_provenance_are_those_of_full_enumeration(
    way: dict[str, Any] | None, examples: list[Example], responses: Responses
) -> None:
    """Over all answers of up to three tokens; of the best, the items by p(item | x) p(y | x, item)."""
    for seed in range(4):
        make = partial(TableGenerator, tables(5, seed))
        wide = RetGen(make, width=60) if way is None else Rag(make, **{**way, "width": 60})
        answers = wide.generate(Batch.of(examples, responses))
        for number, answer in enumerate(answers):
            rows = responses.rows[number][responses.rows[number] >= 0].tolist()
            prior = responses.log_prior[number][: len(rows), None].detach()
            steps = {said: torch.stack([by_token(make().made[row], said) for row in rows]) for said in every_answer()}
            by_token_alone = way is None or way["marginal"] == "token"
            marginal = {
                said: (prior + one).logsumexp(0).sum() if by_token_alone else (prior[:, 0] + one.sum(1)).logsumexp(0)
                for said, one in steps.items()
            }
            best = max(marginal, key=lambda said: float(marginal[said]))
            assert answer.text == make().text(best)
            order = (prior[:, 0] + steps[best].sum(1)).argsort(descending=True).tolist()
            assert [one.wikipedia_id for one in answer.provenance] == [str(rows[place]) for place in order]


@pytest.mark.parametrize("marginal", ["sequence", "token"])
def test_the_probabilities_of_all_answers_by_the_loss_add_up_to_one(
    marginal: Literal["sequence", "token"], examples: list[Example], responses: Responses
) -> None:
    """Of a table whose answers mostly end at once; the empty one, which no example can have, is added by hand."""
    made = tables(5, 1)
    made[..., END] += 4.0
    made = made.log_softmax(2)
    predictor = Rag(partial(TableGenerator, made), marginal=marginal)
    prior, rows = responses.log_prior.detach(), np.maximum(responses.rows, 0)
    total = (prior + made[rows, 0, END]).logsumexp(1).exp()
    for said in every_answer():
        asked = [replace(one, output=(Answer(" ".join(map(str, said))),)) for one in examples]
        total += (-predictor.loss(Batch.of(asked, responses)).loss).exp().detach()
    assert (total < 1).all()
    assert (total > 0.99).all()


def test_without_items_all_ways_are_the_same_closed_book(tiny_llama: str, examples: list[Example]) -> None:
    torch.manual_seed(0)
    found = [Rag(causal(tiny_llama), **way).eval() for way in WAYS[:3]]
    losses = [predictor.loss(Batch.of(examples, empty(3))).loss for predictor in found]
    answers = [[one.text for one in predictor.generate(Batch.of(examples, empty(3)))] for predictor in found]
    for loss in losses[1:]:
        torch.testing.assert_close(loss, losses[0])
    assert answers[0] == answers[1] == answers[2]


def test_a_decoding_for_another_marginal_is_refused(tiny_t5: str) -> None:
    with pytest.raises(ValueError, match="leave decoding out, or choose marginal `sequence`"):
        Rag(encoder_decoder(tiny_t5), marginal="token", decoding="fast")
