from __future__ import annotations

import numpy as np
import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits
from reml.contract.signals import Signal
from reml.predictors.fid import FiD
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract, learn


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_t5: str) -> None:
        self.folder = tiny_t5

    def make(self) -> Predictor:
        return FiD(self.folder, input_tokens=64, answer_tokens=12)


class TestT5(ReaderContract):
    @pytest.fixture
    def predictor(self, tiny_t5: str) -> Predictor:
        return FiD(tiny_t5, input_tokens=64, answer_tokens=12).eval()


class TestBart(ReaderContract):
    @pytest.fixture
    def predictor(self, tiny_bart: str) -> Predictor:
        return FiD(tiny_bart, input_tokens=64, answer_tokens=12).eval()


def test_the_decoder_reads_each_item_as_encoded_on_its_own(tiny_t5: str, collection: MemoryCollection) -> None:
    """By hand: encode two inputs apart, lay their states side by side, decode."""
    predictor = FiD(tiny_t5, input_tokens=64).eval()
    example = Example("a", "what", (Answer("chad"),))
    responses = gather(collection, Hits(np.array([[0, 1]]), np.zeros((1, 2), np.float32)))
    tokeniser, model = predictor.tokeniser, predictor.model
    states, masks = [], []
    for item in responses.items[0]:
        ids = tokeniser(f"question: what title: {item.title} context: {item.text}", add_special_tokens=False)[
            "input_ids"
        ]
        inputs = torch.tensor([[*ids, tokeniser.eos_token_id]])
        states.append(model.get_encoder()(input_ids=inputs).last_hidden_state)
        masks.append(torch.ones_like(inputs))
    labels = torch.tensor([[*tokeniser("chad", add_special_tokens=False)["input_ids"], tokeniser.eos_token_id]])
    expected = model(encoder_outputs=(torch.cat(states, 1),), attention_mask=torch.cat(masks, 1), labels=labels).loss
    found = predictor.loss(Batch.of([example], responses)).loss
    torch.testing.assert_close(found[0], expected * labels.shape[1])


def test_it_learns(tiny_t5: str, examples: list[Example], collection: MemoryCollection, hits: Hits) -> None:
    torch.manual_seed(0)
    predictor = FiD(tiny_t5, input_tokens=64, answer_tokens=12)
    losses = learn(predictor, examples, gather(collection, hits), steps=30, rate=1e-2)
    assert losses[-1] < 0.5 * losses[0]


def test_attention_sums_to_one_over_items(
    tiny_t5: str, examples: list[Example], collection: MemoryCollection, hits: Hits
) -> None:
    predictor = FiD(tiny_t5, input_tokens=64).eval()
    attention = predictor.loss(Batch.of(examples, gather(collection, hits)), Signal.ATTENTION).read_credit.attention
    assert attention is not None
    torch.testing.assert_close(attention.sum(1), torch.ones(3))
    assert torch.equal(attention > 0, torch.from_numpy(hits.mask))


def test_outputs_are_drawn_from_the_model_as_it_is(tiny_t5: str, collection: MemoryCollection) -> None:
    """All tokens are equally likely: each is drawn some time, none by top-k or top-p alone, with its likelihood."""
    predictor = FiD(tiny_t5, input_tokens=64, answer_tokens=1).eval()
    torch.nn.init.zeros_(predictor.model.get_parameter("lm_head.weight"))
    examples = [Example(str(number), "what", (Answer("chad"),)) for number in range(80)]
    responses = gather(collection, Hits(np.zeros((80, 1), np.int64), np.zeros((80, 1), np.float32)))
    torch.manual_seed(0)
    found = predictor.loss(Batch.of(examples, responses), Signal.SAMPLES)
    assert found.read_credit.samples is not None
    assert found.read_credit.sample_log_likelihood is not None
    assert len({answer.text for given in found.read_credit.samples for answer in given[1:]}) > 0.8 * len(
        predictor.tokeniser
    )
    expected = torch.full((80, found.read_credit.sample_log_likelihood.shape[1], 1), -np.log(len(predictor.tokeniser)))
    torch.testing.assert_close(found.read_credit.sample_log_likelihood, expected.float())


def test_samples_have_the_likelihood_of_their_own_tokens_up_to_the_end(
    tiny_t5: str, examples: list[Example], collection: MemoryCollection
) -> None:
    """A model that has learnt its answers draws them, and gives them the likelihood of the right answer."""
    torch.manual_seed(0)
    predictor = FiD(tiny_t5, input_tokens=64, answer_tokens=12)
    easy = [Example("a", "what", (Answer("chad"),)), Example("b", "which", (Answer("france"),))]
    responses = gather(collection, Hits(np.array([[0, 2], [1, 2]]), np.zeros((2, 2), np.float32)))
    learn(predictor, easy, responses, steps=60, rate=1e-2)
    found = predictor.loss(Batch.of(easy, responses), Signal.SAMPLES)
    assert found.read_credit.samples is not None
    assert found.read_credit.sample_log_likelihood is not None
    same = torch.tensor([[answer.text == given[0].text for answer in given] for given in found.read_credit.samples])
    assert same[:, 1:].any()
    right = found.read_credit.sample_log_likelihood[:, :1].expand_as(found.read_credit.sample_log_likelihood)
    torch.testing.assert_close(found.read_credit.sample_log_likelihood[same], right[same])
