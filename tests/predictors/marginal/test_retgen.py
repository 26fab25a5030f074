from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
import torch

from reml.access.responses import gather
from reml.contract.examples import Example
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Hits, Responses
from reml.predictors.marginal.encoder_decoder import EncoderDecoder
from reml.predictors.marginal.rag import Rag
from reml.predictors.marginal.retgen import RetGen
from reml.testing import MemoryCollection, PredictorContract
from tests.predictors.contract import ReaderContract


class TestContract(PredictorContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tiny_bart: str) -> None:
        self.folder = tiny_bart

    def make(self) -> Predictor:
        return RetGen(partial(EncoderDecoder, self.folder, input_tokens=64, answer_tokens=6), width=2)


@pytest.fixture
def predictor(tiny_t5: str) -> RetGen:
    return RetGen(partial(EncoderDecoder, tiny_t5, input_tokens=64, answer_tokens=12), width=2).eval()


class TestRetGen(ReaderContract):
    """A RetGen of one item is what that item says."""


@pytest.fixture
def responses(collection: MemoryCollection, hits: Hits) -> Responses:
    scores = torch.tensor([[0.3, -1.0, 2.0], [1.0, 1.5, -torch.inf], [0.5, -torch.inf, -torch.inf]])
    return replace(gather(collection, hits), scores=scores.requires_grad_())


def test_the_loss_is_the_mean_of_the_items_losses_by_the_prior_which_has_no_gradient(
    predictor: RetGen, examples: list[Example], responses: Responses
) -> None:
    found = predictor.loss(Batch.of(examples, responses), predictor.signals)
    likelihood = found.read_credit.item_log_likelihood
    assert likelihood is not None
    for loss, prior, said, there in zip(found.loss, responses.log_prior.exp(), likelihood, responses.mask, strict=True):
        torch.testing.assert_close(loss, -(prior[there] * said[there]).sum())
    found.loss.sum().backward()  # type: ignore[no-untyped-call]
    assert responses.scores.grad is None
    assert any(one.grad is not None and one.grad.any() for one in predictor.parameters())


def test_it_decodes_as_rag_token_does(
    predictor: RetGen, tiny_t5: str, examples: list[Example], responses: Responses
) -> None:
    rag = Rag(partial(EncoderDecoder, tiny_t5, input_tokens=64, answer_tokens=12), marginal="token", width=2).eval()
    batch = Batch.of(examples, responses)
    assert predictor.generate(batch) == rag.generate(batch)
