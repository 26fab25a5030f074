from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from reml.access.responses import empty
from reml.contract.examples import Answer, Example, Provenance
from reml.contract.predictors import Batch, Feedback
from reml.contract.retrieved import Queries, Responses
from reml.contract.signals import Credit, Signal
from reml.contract.vectors import Int64Array
from reml.feedback.combined import Combined
from reml.feedback.contrastive import Contrastive
from reml.feedback.emdr2 import Emdr2, Emdr2PerToken
from reml.feedback.expected_utility import ExpectedUtility
from reml.feedback.judges.gold_evidence import GoldEvidence
from reml.feedback.judges.judges import Judges
from reml.feedback.judges.recorded_utility import RecordedUtility, record_of
from reml.feedback.kl_distillation import KlDistillation
from reml.feedback.margin_mse import MarginMse
from reml.feedback.pdist import Pdist
from reml.feedback.records import FeedbackLog
from reml.training.data.sets import TrainSet
from reml.training.loop.fit import fit
from reml.training.regimes.regimes import Alternating, Conditional, Independent, Joint
from reml.training.regimes.retriever_objective import RetrieverObjective
from reml.training.settings import Training
from tests.training.pointing import PointingPredictor, WordRetriever, collection, predictor, retrieved

ITEMS = collection()


def retriever(seed: int = 0) -> WordRetriever:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return WordRetriever(ITEMS)


def learner(model: WordRetriever, feedback: Feedback | None = None) -> RetrieverObjective:
    return RetrieverObjective(model, model, Pdist() if feedback is None else feedback)


def batch() -> Batch:
    return retrieved(0, 4, ITEMS).take(np.arange(4))


def truth_first(model: WordRetriever) -> float:
    """Give the mean score of the truths less that of the lies."""
    scores = model.score(Queries.of([f"what is thing{number}" for number in range(8)]), retrieved(0, 8).hits.rows)
    return float((scores[:, 1] - scores[:, 0]).mean().detach())


def test_items_that_the_predictor_did_not_read_teach_nothing() -> None:
    objective, asked = learner(retriever()), batch()
    rescored = objective.rescored(asked.examples, asked.read)
    said = torch.full(rescored.own.mask.shape, -1.0).masked_fill(~rescored.own.mask, -torch.inf)
    said[:, 0] = -2.0
    whole = objective.loss(asked.examples, rescored, Credit(item_log_likelihood=said))
    unread = said.clone()
    unread[0], unread[1, 1] = -torch.inf, -torch.inf
    loss = objective.loss(asked.examples, rescored, Credit(item_log_likelihood=unread))
    mask = rescored.own.mask.clone()
    mask[0], mask[1, 1] = False, False
    masked = replace(rescored, own=replace(rescored.own, mask=mask))
    assert (whole > 0).all()
    assert loss[0] == 0
    torch.testing.assert_close(loss, objective.loss(asked.examples, masked, Credit(item_log_likelihood=unread)))
    torch.testing.assert_close(loss[2:], whole[2:])
    loss.sum().backward()  # type: ignore[no-untyped-call]


def test_independent_is_the_predictors_loss() -> None:
    model = predictor().eval()
    losses = Independent(model)(batch())
    assert list(losses) == ["predictor"]
    torch.testing.assert_close(losses["predictor"], model.loss(batch()).loss)


def test_joint_adds_the_objective_on_scores_computed_anew() -> None:
    model, searcher = predictor().eval(), retriever()
    regime = Joint(model, learner(searcher, Emdr2()))
    losses = regime(batch())
    assert list(losses) == ["predictor", "retriever"]
    scores = searcher.score(Queries.of([example.input for example in batch().examples]), batch().read.rows)
    credit = model.loss(batch(), Emdr2().needs).read_credit
    expected = Emdr2()(Responses.of_scores(scores, batch().read.mask), credit)
    torch.testing.assert_close(losses["retriever"], expected)
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


@pytest.mark.parametrize("regime", [Joint, Alternating])
def test_a_loss_that_does_not_depend_on_scores_teaches_no_retriever(regime: type[Joint]) -> None:
    """Without an objective nothing would move it, in silence."""
    model, searcher = predictor(), retriever()
    with pytest.raises(ValueError, match="the retriever without an objective learns by the loss of PointingPredictor"):
        regime(model, RetrieverObjective(searcher, searcher, None))(batch())


def test_alternating_moves_one_at_a_time_in_turns(tmp_path: Path) -> None:
    """Two steps of the predictor, then two of the retriever, which had not moved, nor been decayed, until then."""
    for steps, moved in ((2, (True, False)), (3, (True, True))):
        model, searcher = predictor(), retriever()
        before = [part.detach().clone() for part in (model.output.weight, searcher.embedding.weight)]
        settings = Training(steps=steps, batch_size=4, rate=0.05, warmup=0.0, weight_decay=0.1)
        regime = Alternating(model, learner(searcher), every=2)
        fit(regime, TrainSet.of(retrieved(0, 8, ITEMS)), dev=[], settings=settings, folder=tmp_path / str(steps))
        after = (model.output.weight, searcher.embedding.weight)
        assert tuple(not torch.equal(*pair) for pair in zip(before, after, strict=True)) == moved
    with pytest.raises(ValueError, match="every is a number of steps, 1 or more, not 0"):
        Alternating(predictor(), learner(retriever()), every=0)


def test_a_turn_depends_on_the_step_alone() -> None:
    """So that a run which goes on from a state, with a regime made anew, goes on in the same turn."""
    regime = Alternating(predictor(), learner(retriever()), every=3)
    resting = [regime.resting(step)[0] for step in range(9)]
    assert [part is regime.retriever for part in resting] == [True] * 3 + [False] * 3 + [True] * 3
    assert all(isinstance(part, PointingPredictor) for part in resting[3:6])


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
        return Queries(np.repeat(np.arange(len(examples)), 2), tuple("ab" * len(examples)))


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
        RetrieverObjective(retriever(), object(), Pdist())  # type: ignore[arg-type]


TRUTHS = Judges(items=GoldEvidence())


def located(stop: int = 4) -> Batch:
    """Give examples whose answers say which page they come from."""
    found = retrieved(0, stop, ITEMS).take(np.arange(stop))
    examples = [
        replace(example, output=(Answer(example.answers[0], (Provenance(str(2 * number)),)),))
        for number, example in enumerate(found.examples)
    ]
    return replace(found, examples=tuple(examples))


def test_labels_train_a_retriever_through_the_same_loop() -> None:
    searcher = retriever()
    regime = Conditional(predictor(), replace(learner(searcher, Contrastive(in_batch=False)), judges=TRUTHS))
    optimizer, gain = torch.optim.Adam(searcher.parameters(), 0.05), truth_first(searcher)
    for _ in range(15):
        optimizer.zero_grad()
        regime(located())["retriever"].mean().backward()
        optimizer.step()
    assert truth_first(searcher) > gain + 0.5


def test_a_predictor_that_is_not_asked_is_not_run() -> None:
    model = predictor()
    model.loss = None  # type: ignore[assignment, method-assign]
    losses = Conditional(model, replace(learner(retriever(), KlDistillation()), judges=TRUTHS))(located())
    assert losses["retriever"].shape == (4,)


def test_in_batch_items_are_scored_with_gradient_and_judged() -> None:
    """Each example has a lie and a truth of its own, and six items of the others as negatives."""
    searcher = retriever()
    taught = replace(learner(searcher, Contrastive()), judges=TRUTHS)
    loss = Conditional(predictor(), taught)(located())["retriever"]
    queries = Queries.of([example.input for example in located().examples])
    scores = searcher.score(queries, np.tile(np.arange(8), (4, 1)))
    right = torch.arange(4) * 2
    expected = -torch.log_softmax(scores, dim=1)[torch.arange(4), right]
    torch.testing.assert_close(loss, expected)
    (found,) = torch.autograd.grad(loss.sum(), searcher.embedding.weight)
    (wanted,) = torch.autograd.grad(expected.sum(), searcher.embedding.weight)
    torch.testing.assert_close(found, wanted)


def test_feedback_and_labels_can_be_combined() -> None:
    both = Combined([Pdist(), Contrastive()], [1.0, 0.5])
    taught = replace(learner(retriever(), both), judges=TRUTHS)
    assert taught.asks == Signal.ITEM_LIKELIHOOD
    loss = Joint(predictor().eval(), taught)(located())["retriever"]
    alone = [Conditional(predictor(), replace(taught, feedback=one))(located())["retriever"] for one in both.objectives]
    torch.testing.assert_close(loss, alone[0] + 0.5 * alone[1])


def test_an_objective_on_utilities_without_a_judge_is_refused_with_how_to_get_one() -> None:
    with pytest.raises(ValueError, match=r"ITEM_UTILITY: a judge gives it, such as .*GoldEvidence"):
        Conditional(predictor(), learner(retriever(), KlDistillation()))
    with pytest.raises(ValueError, match="SAMPLES: FiD and CopyFiD give it"):
        Conditional(predictor(), learner(retriever(), ExpectedUtility()))


def test_a_batch_without_any_item_teaches_nothing() -> None:
    nothing = Batch.of(located().examples, empty(4))
    for objective in (KlDistillation(), Contrastive(), MarginMse()):
        loss = Conditional(predictor(), replace(learner(NoItems(ITEMS), objective), judges=TRUTHS))(nothing)
        assert loss["retriever"].tolist() == [0.0] * 4
        loss["retriever"].sum().backward()


def test_recorded_likelihoods_teach_as_the_predictor_did(tmp_path: Path) -> None:
    """Without the predictor, from disk, the retriever gets the same loss and the same gradient."""
    model, searcher, given = predictor().eval(), retriever(), batch()
    said = model.loss(given, Signal.ITEM_LIKELIHOOD).read_credit.item_log_likelihood
    assert said is not None
    queries = Queries.of([example.input for example in given.examples])
    log = FeedbackLog(tmp_path)
    log.receive(record_of(queries, given.read, said, judge="log-likelihood", versions={}))
    for objective in (Pdist(), Emdr2()):
        taught = replace(learner(searcher, objective), judges=Judges(likelihoods=RecordedUtility(log)))
        assert not taught.asks
        losses = [Conditional(predictor(), one)(given)["retriever"] for one in (learner(searcher, objective), taught)]
        torch.testing.assert_close(losses[0], losses[1])
        gradients = [torch.autograd.grad(loss.sum(), searcher.embedding.weight)[0] for loss in losses]
        torch.testing.assert_close(gradients[0], gradients[1])


class NoItems(WordRetriever):
    """Scores as `EncodedRetriever` does where there is no item: without a gradient."""

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        return torch.full(rows.shape, -torch.inf)
