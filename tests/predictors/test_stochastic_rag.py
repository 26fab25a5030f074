"""Expected utility over lists that are read at once: against enumeration, controls, going on after a kill."""

from __future__ import annotations

import itertools
import math
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.feedback.expected_utility import ExpectedUtility
from reml.feedback.judges.answer_utility import AnswerUtility
from reml.files.weights import load_weights, save_weights
from reml.predictors.fid import FiD
from reml.predictors.fid_copy import CopyFiD
from reml.predictors.fid_light import FiDLight
from reml.predictors.first_title import FirstTitle
from reml.predictors.reading.kept_outputs import Outputs
from reml.predictors.reading.sampling import Output
from reml.predictors.stochastic_rag import StochasticRag
from reml.testing import MemoryCollection, PredictorContract
from reml.training.regimes.reaching import reaches
from tests.predictors.contract import learn, only


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_t5: str) -> None:
        self.folder = tiny_t5

    def make(self) -> Predictor:
        return StochasticRag(
            partial(FiDLight, self.folder, vectors=24, input_tokens=64, answer_tokens=16),
            objective=ExpectedUtility(items=2, lists=1),
            utility=AnswerUtility("em"),
        )


@pytest.fixture
def batch(examples: list[Example], collection: MemoryCollection) -> Batch:
    located = [
        Example(one.id, one.input, (Answer(one.answers[0], (Provenance(page),)),))
        for one, page in zip(examples, ("0", "1", "3"), strict=True)
    ]
    rows = np.array([[2, 0, 1], [1, 2, -1], [3, -1, -1]])
    scores = np.where(rows >= 0, np.array([0.4, 0.1, -0.3]), -np.inf).astype(np.float32)
    return Batch.of(located, gather(collection, Hits(rows, scores)))


def _reader(kind: str, t5: str, bert: str) -> Any:
    torch.manual_seed(0)
    if kind == "FiD":
        return FiD(t5, input_tokens=64, answer_tokens=12).eval()
    return CopyFiD(bert, frozen_layers=0, input_tokens=64, answer_tokens=12).eval()


@pytest.mark.parametrize("kind", ["FiD", "CopyFiD"])
def test_a_drawn_list_is_read_as_if_it_alone_had_been_retrieved(
    kind: str, tiny_t5: str, tiny_bert: str, batch: Batch
) -> None:
    reader, example = _reader(kind, tiny_t5, tiny_bert), batch.examples[:1]
    responses = only(batch.read, 0, [0, 1, 2])
    read = reader.encoded(example, responses)
    for size in (1, 2, 3):
        for places in itertools.permutations(range(3), size):
            drawn = torch.eye(3)[list(places)][None]
            found = reader.list_log_likelihood(read, [reader.right(read)], drawn)[0, 0]
            prediction = reader.loss(Batch.of(example, only(responses, 0, places)))
            tokens = 1 if kind == "FiD" else len(reader.right(read)[0].tokens)
            torch.testing.assert_close(found, -prediction.loss[0] * tokens, rtol=1e-4, atol=1e-4)


def test_the_mean_loss_is_the_expected_utility_of_all_lists_enumerated(tiny_t5: str, batch: Batch) -> None:
    """Lists of 2 of 3 items: what the right answer is given by each, and by how much of the probability."""
    torch.manual_seed(0)
    model = StochasticRag(
        partial(FiD, tiny_t5, input_tokens=64, answer_tokens=12),
        objective=ExpectedUtility(items=2, lists=1),
        utility=AnswerUtility("em"),
        outputs=Outputs(draws=1, take=1),
    )
    example, responses, copies = batch.examples[0], only(batch.read, 0, [0, 1, 2]), 250
    learn(model.predictor, [example], only(responses, 0, [1, 0]), steps=25, rate=1e-2)
    other = Example("z", example.input, (Answer("949 km"),))
    learn(model.predictor, [other], only(responses, 0, [0, 2]), steps=6, rate=1e-2)
    prior, exact, given = torch.softmax(responses.scores[0], 0).tolist(), 0.0, []
    for first, second in itertools.permutations(range(3), 2):
        loss = model.predictor.loss(Batch.of([example], only(responses, 0, [first, second]))).loss
        given.append(math.exp(-float(loss.detach())))
        exact += prior[first] * prior[second] / (1 - prior[first]) * given[-1]
    assert max(given) > 1.5 * min(given)  # it matters which list is drawn
    many = Responses(
        tuple(responses.items) * copies,
        np.repeat(responses.rows, copies, 0),
        responses.scores.repeat(copies, 1),
        responses.mask.repeat(copies, 1),
    )
    model.train()
    model.predictor.eval()  # no dropout
    asked = [Example(str(number), example.input, example.output) for number in range(copies)]
    found = -model.loss(Batch.of(asked, many)).loss.detach()
    spread = float(found.std()) / math.sqrt(copies)
    assert float(found.mean()) == pytest.approx(exact, abs=4 * spread + 1e-6)


@pytest.mark.parametrize("kind", ["FiD", "CopyFiD"])
def test_reader_and_retriever_learn_from_it(kind: str, tiny_t5: str, tiny_bert: str, batch: Batch) -> None:
    torch.manual_seed(0)
    made = partial(FiD, tiny_t5, pointers=True) if kind == "FiD" else partial(CopyFiD, tiny_bert, provenance="pointed")
    model = StochasticRag(partial(made, input_tokens=64, answer_tokens=24), objective=ExpectedUtility(items=2, lists=2))
    learn(model.predictor, list(batch.examples), batch.read, steps=25, rate=3e-3)  # p of a right output is above 0
    model.train()
    read = batch.read
    scores = read.scores.clone().requires_grad_()
    loss = model.loss(batch.reading(Responses(read.items, read.rows, scores, read.mask))).loss
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad[0].any()
    assert not scores.grad[2].any()  # one item: nothing could be exchanged
    assert any(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())


def test_the_utility_sees_where_outputs_point(tiny_t5: str, batch: Batch) -> None:
    """One text with three provenances; a repeat has nothing, and shuffled utilities go to other outputs."""
    model = StochasticRag(partial(FiDLight, tiny_t5, input_tokens=64, answer_tokens=16))
    read = model.predictor.encoded(batch.examples[:1], only(batch.read, 0, [0, 1, 2]))
    outputs = [Output("N'Djamena", first, ((number,),)) for number, first in enumerate([(1,), (), (2, 1), (1, 0)])]
    rounds = [[output] for output in (*outputs, outputs[0])]
    assert model._utilities(batch.examples[:1], read, rounds).tolist() == [[1.0, 0.0, 0.0, 1.0, 0.0]]
    model.utility = AnswerUtility("em")
    assert model._utilities(batch.examples[:1], read, rounds).tolist() == [[1.0, 1.0, 1.0, 1.0, 0.0]]
    model.utility, model.shuffled = AnswerUtility("KILT-em"), True
    torch.manual_seed(0)
    drawn = torch.stack([model._utilities(batch.examples[:1], read, rounds)[0] for _ in range(60)])
    assert (drawn.sum(1) == 2).all()
    assert drawn.any(0).tolist() == [True, True, True, True, False]


def _trained(model: StochasticRag, batch: Batch, steps: int) -> list[float]:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        loss = model.train().loss(batch).loss.sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_it_is_the_same_by_the_same_seed_and_after_a_kill(tiny_t5: str, batch: Batch, tmp_path: Path) -> None:
    """Six steps, the first on the predictor's own loss; and the last three by another object with its state."""

    def made() -> StochasticRag:
        torch.manual_seed(1)
        return StochasticRag(
            partial(FiDLight, tiny_t5, input_tokens=64, answer_tokens=16),
            objective=ExpectedUtility(items=2, lists=1),
            utility=AnswerUtility("f1"),
            outputs=Outputs(draws=2, take=1, renew=4),
            after=1,
        )

    whole, first, last = made(), made(), made()
    torch.manual_seed(2)
    losses = _trained(whole, batch, 6)
    assert losses[0] > 1
    assert all(-3 <= loss <= 0 for loss in losses[1:])
    torch.manual_seed(2)
    assert _trained(first, batch, 3) == losses[:3]
    state = torch.get_rng_state()
    save_weights(first, tmp_path / "weights.safetensors")
    load_weights(last, tmp_path / "weights.safetensors")
    torch.set_rng_state(state)
    assert _trained(last, batch, 3) == losses[3:]


def test_a_retriever_may_learn_jointly_after_steps_on_the_own_loss(tiny_t5: str, batch: Batch) -> None:
    """In those it rests; that its scores are no part of that loss is no error."""
    made = partial(FiDLight, tiny_t5, input_tokens=64, answer_tokens=16)
    model = StochasticRag(made, objective=ExpectedUtility(items=2, lists=1), after=1).train()
    read = batch.read
    moved = []
    for _ in range(2):
        scores = read.scores.clone().requires_grad_()
        loss = model.loss(batch.reading(Responses(read.items, read.rows, scores, read.mask))).loss.sum()
        assert reaches(loss, scores)
        loss.backward()  # type: ignore[no-untyped-call]
        assert scores.grad is not None
        assert torch.isfinite(scores.grad).all()
        moved.append(bool(scores.grad.any()))
    assert not moved[0]


def test_what_does_not_read_lists_is_refused() -> None:
    with pytest.raises(TypeError, match="FirstTitle does not decode from lists of items: give FiD"):
        StochasticRag(FirstTitle)
