from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reml.contract.collections import Collection
from reml.contract.examples import Answer
from reml.contract.predictors import Batch
from reml.contract.signals import Credit, Prediction, Signal
from reml.feedback.marginal import Marginal
from reml.training.regimes.regimes import Conditional, Joint
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.regimes.signal_cache import CachedPredictor, cache_signals
from reml.training.regimes.signals import available, collect
from tests.training.pointing import WordRetriever, collection, predictor, retrieved

ITEMS = collection()
LISTS = retrieved(0, 4, ITEMS)
BATCH = LISTS.take(np.arange(4))
WANTED = Signal.ITEM_LIKELIHOOD | Signal.NULL_LIKELIHOOD


class WordCounter(nn.Module):
    """Says -1 for each word of the input alone, and half of that once it has an item."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    @property
    def signals(self) -> Signal:
        return Signal.ITEM_LIKELIHOOD | Signal.LEAVE_ONE_OUT

    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed ahead."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        assert signals in self.signals
        examples, responses = batch.examples, batch.read
        alone = -self.scale * torch.tensor([[float(len(example.input.split()))] for example in examples])
        left = (responses.mask.sum(dim=1, keepdim=True) > 1).expand_as(responses.mask)
        without = torch.where(left, alone / 2, alone).masked_fill(~responses.mask, -torch.inf)
        credit = Credit(
            item_log_likelihood=(alone / 2).expand_as(responses.mask).masked_fill(~responses.mask, -torch.inf),
            leave_one_out=without if Signal.LEAVE_ONE_OUT in signals else None,
        )
        return Prediction(-alone.squeeze(1), (credit,))

    def generate(self, batch: Batch) -> list[Answer]:
        return [Answer() for _ in batch.examples]


def test_what_is_said_without_items_is_what_is_said_without_the_only_one() -> None:
    """The inputs are `what is thing0` and so on: three words."""
    said = collect(WordCounter(), BATCH, WANTED).read_credit
    assert said.null_log_likelihood is not None
    assert said.null_log_likelihood.tolist() == [[-3.0]] * 4
    assert not said.null_log_likelihood.requires_grad
    assert said.item_log_likelihood is not None
    assert said.item_log_likelihood[0].tolist() == [-1.5, -1.5, -torch.inf]


def test_it_is_asked_only_where_it_is_wanted_and_can_be_told() -> None:
    assert collect(WordCounter(), BATCH, Signal.ITEM_LIKELIHOOD).read_credit.null_log_likelihood is None
    assert Signal.NULL_LIKELIHOOD in available(WordCounter().signals)
    searcher = WordRetriever(ITEMS)
    with pytest.raises(ValueError, match=r"NULL_LIKELIHOOD: FiD, CopyFiD and Realm give it"):
        Joint(predictor(), RetrieverObjective(searcher, searcher, Marginal(null_score=0.0)))


def test_a_regime_gives_the_null_item_its_likelihood_also_from_what_was_heard(tmp_path: Path) -> None:
    searcher, objective = WordRetriever(ITEMS), Marginal(null_score=0.3)
    learner = RetrieverObjective(searcher, searcher, objective)
    rescored = learner.rescored(BATCH.examples, BATCH.read).own
    told = collect(WordCounter(), BATCH.reading(replace(rescored, scores=rescored.scores.detach())), WANTED).read_credit
    expected = objective(rescored, told)
    torch.testing.assert_close(Joint(WordCounter(), learner)(BATCH)["retriever"], expected)
    torch.testing.assert_close(Conditional(WordCounter(), learner)(BATCH)["retriever"], expected)
    batches = [LISTS.take(places) for places in (np.arange(3), np.arange(3, 4))]
    cache_signals(WordCounter(), batches, WANTED, tmp_path / "said")
    cached = CachedPredictor([(LISTS.examples, [tmp_path / "said"])])
    torch.testing.assert_close(Conditional(cached, learner)(BATCH)["retriever"], expected)
