from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.feedback.emdr2 import Emdr2, Emdr2PerToken
from reml.feedback.pdist import Pdist
from reml.protocols import Feedback
from reml.training.data import Batch, TrainSet
from reml.training.fit import fit
from reml.training.regimes import Conditional, Independent, Joint, Learner
from reml.training.settings import Training
from reml.types import Example, Int64Array, Queries
from tests.training.pointing import PointingPredictor, WordRetriever, collection, predictor, retrieved

ITEMS = collection()


def retriever(seed: int = 0) -> WordRetriever:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return WordRetriever(ITEMS)


def learner(model: WordRetriever, feedback: Feedback | None = None) -> Learner:
    return Learner(model, model, Pdist() if feedback is None else feedback)


def batch() -> Batch:
    return retrieved(0, 4, ITEMS).take(np.arange(4))


def truth_first(model: WordRetriever) -> float:
    """Give the mean score of the truths less that of the lies."""
    scores = model.score(Queries.of([f"what is thing{number}" for number in range(8)]), retrieved(0, 8).hits.rows)
    return float((scores[:, 1] - scores[:, 0]).mean().detach())


def test_independent_is_the_predictors_loss() -> None:
    model = predictor().eval()
    losses = Independent(model)(batch())
    assert list(losses) == ["predictor"]
    torch.testing.assert_close(losses["predictor"], model.loss(batch().examples, batch().responses).loss)


def test_joint_adds_the_objective_on_scores_computed_anew() -> None:
    model, searcher = predictor().eval(), retriever()
    regime = Joint(model, learner(searcher, Emdr2()))
    losses = regime(batch())
    assert list(losses) == ["predictor", "retriever"]
    scores = searcher.score(Queries.of([example.input for example in batch().examples]), batch().responses.rows)
    prediction = model.loss(batch().examples, batch().responses, Emdr2().needs)
    torch.testing.assert_close(losses["retriever"], Emdr2()(scores, batch().responses.mask, prediction))
    losses["retriever"].sum().backward()
    assert searcher.embedding.weight.grad is not None
    assert searcher.embedding.weight.grad.abs().sum() > 0


def test_the_weight_scales_the_objective() -> None:
    model, searcher = predictor().eval(), retriever()
    once = Joint(model, learner(searcher))(batch())["retriever"]
    thrice = Joint(model, replace(learner(searcher), weight=3.0))(batch())["retriever"]
    torch.testing.assert_close(thrice, 3 * once)


def test_conditional_trains_the_retriever_and_leaves_the_predictor(tmp_path: Path) -> None:
    model, searcher = predictor(), retriever()
    regime = Conditional(model, learner(searcher))
    assert not regime.train().predictor.training  # type: ignore[attr-defined]
    before, gain = model.output.weight.detach().clone(), truth_first(searcher)
    settings = Training(steps=30, batch_size=8, rate=0.05)
    fit(regime, TrainSet.of(retrieved(0, 8, ITEMS)), dev=[], settings=settings, folder=tmp_path)
    assert torch.equal(model.output.weight, before)
    assert truth_first(searcher) > gain + 1.0


def test_joint_trains_both_and_logs_each_loss(tmp_path: Path) -> None:
    model, searcher = predictor(), retriever()
    before, gain = model.output.weight.detach().clone(), truth_first(searcher)
    settings = Training(steps=30, batch_size=8, rate=0.05)
    fit(
        Joint(model, learner(searcher)), TrainSet.of(retrieved(0, 8, ITEMS)), dev=[], settings=settings, folder=tmp_path
    )
    assert not torch.equal(model.output.weight, before)
    assert truth_first(searcher) > gain + 1.0
    logged = (tmp_path / "metrics.csv").read_text(encoding="utf-8")
    assert "train/predictor" in logged
    assert "train/retriever" in logged


def test_an_objective_that_asks_too_much_is_refused_with_what_there_is() -> None:
    with pytest.raises(ValueError, match=r"TOKEN_LIKELIHOOD.*PointingPredictor gives.*ITEM_LIKELIHOOD"):
        Joint(predictor(), learner(retriever(), Emdr2PerToken()))


class FixedRetriever(WordRetriever):
    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        return super().score(queries, rows).detach()


def test_a_retriever_without_gradient_is_refused() -> None:
    model = FixedRetriever(ITEMS)
    with pytest.raises(ValueError, match=r"FixedRetriever have no gradient.*Pdist"):
        Joint(predictor(), learner(model))(batch())


class TwoQueries:
    def __call__(self, examples: Sequence[Example]) -> Queries:
        return Queries(tuple("ab" * len(examples)), np.repeat(np.arange(len(examples)), 2))


def test_several_queries_for_an_example_are_refused() -> None:
    with pytest.raises(ValueError, match="TwoQueries made 8 queries for 4 examples"):
        Joint(predictor(), replace(learner(retriever()), queries=TwoQueries()))(batch())


class NoModule:
    signals = PointingPredictor().signals
    prepare, loss, generate = PointingPredictor.prepare, PointingPredictor.loss, PointingPredictor.generate


def test_a_predictor_without_parameters_is_refused() -> None:
    with pytest.raises(TypeError, match=r"NoModule is not a torch `nn\.Module`"):
        Independent(NoModule())


def test_a_regimes_parts_have_the_names_of_rates() -> None:
    regime: nn.Module = Joint(predictor(), learner(retriever()))
    assert {name.split(".")[0] for name, _ in regime.named_parameters()} == {"predictor", "retriever"}


def test_a_learner_without_a_module_is_refused() -> None:
    with pytest.raises(TypeError, match="no nn"):
        Learner(retriever(), object(), Pdist())  # type: ignore[arg-type]
