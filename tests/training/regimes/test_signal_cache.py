from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.contract.predictors import Batch
from reml.contract.signals import Signal
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.pdist import Pdist
from reml.training.regimes.regimes import Conditional
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.regimes.signal_cache import CachedPredictor, cache_signals, cache_utility, kept
from tests.training.pointing import WordRetriever, collection, predictor, retrieved

ITEMS = collection()
LISTS = retrieved(0, 8, ITEMS)


def cached(folder: Path) -> CachedPredictor:
    batches = [LISTS.take(np.arange(start, start + 4)) for start in (0, 4)]
    cache_signals(predictor().eval(), batches, Signal.ITEM_LIKELIHOOD, folder / "said.safetensors")
    cache_utility(GoldEvidence(), batches, folder / "judged.safetensors")
    return CachedPredictor([(LISTS.examples, [folder / "said.safetensors", folder / "judged.safetensors"])])


def test_a_retriever_learns_the_same_from_what_was_heard(tmp_path: Path) -> None:
    """The losses of a predictor that speaks and of one that spoke are the same, in any order of the examples."""
    searcher = WordRetriever(ITEMS)
    learner = RetrieverObjective(searcher, searcher, Pdist())
    batch = LISTS.take(np.array([6, 1, 3]))
    live, repeated = Conditional(predictor(), learner)(batch), Conditional(cached(tmp_path), learner)(batch)
    torch.testing.assert_close(repeated["retriever"], live["retriever"])
    assert (live["retriever"] > 0).all()


def test_only_what_was_heard_and_asked_for_is_given(tmp_path: Path) -> None:
    said = cached(tmp_path)
    assert said.signals == Signal.ITEM_LIKELIHOOD | Signal.ITEM_UTILITY
    batch = LISTS.take(np.array([2]))
    given = said.loss(batch, Signal.ITEM_UTILITY)
    assert given.read_credit.item_log_likelihood is None
    assert given.read_credit.item_utility is not None
    torch.testing.assert_close(given.read_credit.item_utility, GoldEvidence()(batch.examples, batch.read))
    assert not list(said.parameters())


def test_what_is_drawn_or_of_the_batch_is_not_kept() -> None:
    asked = Signal.SAMPLES | Signal.IN_BATCH | Signal.ATTENTION
    assert kept(asked) == Signal.ATTENTION


def test_other_examples_and_other_lists_are_refused(tmp_path: Path) -> None:
    said, other = cached(tmp_path), retrieved(9, 10, ITEMS).take(np.array([0]))
    with pytest.raises(ValueError, match=r"no signals are cached for the examples \['thing9'\]"):
        said.loss(other, Signal.ITEM_LIKELIHOOD)
    batch = LISTS.take(np.array([0]))
    turned = replace(batch.read, rows=batch.read.rows[:, ::-1].copy())
    with pytest.raises(ValueError, match="the lists are not those of the cached signals"):
        said.loss(Batch.of(batch.examples, turned), Signal.ITEM_LIKELIHOOD)
    with pytest.raises(ValueError, match="ask the predictor itself"):
        said.generate(batch)
