from __future__ import annotations

import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.combined import Combined
from reml.feedback.loop import Loop
from reml.feedback.marginal import Marginal
from reml.feedback.pdist import Pdist
from reml.testing import FeedbackContract
from tests.feedback.problems import MASK, gradient, likelihoods, scores

CREDIT = Credit(item_log_likelihood=likelihoods().detach(), leave_one_out=likelihoods().detach())


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return Combined([Pdist(), Loop(2.0)], [0.5, 1.0])


def test_values_and_gradients_add_up_with_their_weights() -> None:
    retrieval = scores()
    loss = Combined([Pdist(), Loop()], [0.5, 3.0])(Responses.of_scores(retrieval, MASK), CREDIT)
    parts = [objective(Responses.of_scores(retrieval, MASK), CREDIT) for objective in (Pdist(), Loop())]
    torch.testing.assert_close(loss, 0.5 * parts[0] + 3 * parts[1])
    expected = 0.5 * gradient(parts[0], retrieval) + 3 * gradient(parts[1], retrieval)
    torch.testing.assert_close(gradient(loss, retrieval), expected)


def test_weights_are_one_unless_given_and_combinations_nest() -> None:
    both = Combined([Pdist(), Loop()])
    nested = Combined([Combined([Pdist()]), Combined([Loop()], [1.0])])
    torch.testing.assert_close(
        both(Responses.of_scores(scores(), MASK), CREDIT), nested(Responses.of_scores(scores(), MASK), CREDIT)
    )


def test_it_needs_what_its_parts_need() -> None:
    assert Combined([Pdist(), Loop(), Marginal()]).needs == Signal.ITEM_LIKELIHOOD | Signal.LEAVE_ONE_OUT


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="no objectives"):
        Combined([])
    with pytest.raises(ValueError, match="2 objectives but 1 weights"):
        Combined([Pdist(), Loop()], [1.0])
    for weight in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(
            ValueError,
            match=r"weights must be positive and finite|is (nan|inf), but must be finite|a finite num",
        ):
            Combined([Pdist()], [weight])
