"""A retriever that learns by RAG's loss alone, beside a generator that learns by it too."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch

from reml.contract.predictors import Batch
from reml.contract.signals import Prediction, Signal
from reml.feedback.reinforce import Reinforce
from reml.predictors.marginal.encoder_decoder import EncoderDecoder
from reml.predictors.marginal.rag import Rag
from reml.predictors.marginal.retgen import RetGen
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import Fitted, fit
from reml.training.regimes.regimes import Joint
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.settings import Training
from tests.training.pointing import WordRetriever, collection, retrieved

ITEMS = collection()
SETTINGS = Training(steps=6, batch_size=4, accumulate=2, rate=0.01, save_every=2, seed=3)


class CrashError(Exception):
    pass


class Crashing(Rag):
    """Fails in its `calls`-th loss."""

    calls = 8

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        self.calls -= 1
        if not self.calls:
            raise CrashError
        return super().loss(batch, signals)


def regime(folder: str, made: type[Rag] = Rag) -> Joint:
    torch.manual_seed(0)
    searcher = WordRetriever(ITEMS)
    predictor = made(partial(EncoderDecoder, folder, input_tokens=64, answer_tokens=12), marginal="token")
    return Joint(predictor, RetrieverObjective(searcher, searcher, None))


def run(joint: Joint, folder: Path) -> Fitted:
    return fit(joint, TrainSet.of(retrieved(0, 8, ITEMS)), dev=[], settings=SETTINGS, folder=folder)


def test_training_goes_on_bit_for_bit_after_a_crash(tiny_t5: str, tmp_path: Path) -> None:
    whole, resumed = regime(tiny_t5), regime(tiny_t5)
    begun = {name: value.clone() for name, value in whole.state_dict().items()}
    expected = run(whole, tmp_path / "whole")
    with pytest.raises(CrashError):
        run(regime(tiny_t5, Crashing), tmp_path / "broken")
    assert (tmp_path / "broken" / "states" / "step-00000002").exists()
    assert run(resumed, tmp_path / "broken") == expected
    after = whole.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in resumed.state_dict().items())
    for part in ("predictor.generator.model.shared.weight", "retriever.embedding.weight"):
        assert not torch.equal(after[part], begun[part]), "the loss of the predictor alone moves both"
    both = [(tmp_path / name / "metrics.csv").read_text(encoding="utf-8") for name in ("whole", "broken")]
    assert both[0] == both[1]


def test_retgen_says_nothing_to_scores_and_teaches_by_its_reward(tiny_t5: str) -> None:
    searcher = WordRetriever(ITEMS)
    predictor = RetGen(partial(EncoderDecoder, tiny_t5, input_tokens=64, answer_tokens=12))
    batch = retrieved(0, 4, ITEMS).take([0, 1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the loss of RetGen, and that does not depend on the scores"):
        Joint(predictor, RetrieverObjective(searcher, searcher, None))(batch)
    losses = Joint(predictor, RetrieverObjective(searcher, searcher, Reinforce()))(batch)
    losses["retriever"].sum().backward()
    assert searcher.embedding.weight.grad is not None
    assert searcher.embedding.weight.grad.any()
