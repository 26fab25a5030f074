from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.marginal import Marginal, marginal_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, likelihoods, scores

TEMPERATURE = 0.7


def brute_force(retrieval: Rows, likelihood: Rows, mask: list[list[bool]]) -> float:
    """Sum over the items of each example by the definition."""
    total = 0.0
    for row, log_likelihood, keep in zip(retrieval, likelihood, mask, strict=True):
        prior = softmax(shown(row, keep), TEMPERATURE)
        total -= math.log(sum(p * math.exp(value) for p, value in zip(prior, shown(log_likelihood, keep), strict=True)))
    return total


def test_value_and_gradients_equal_brute_force() -> None:
    retrieval, likelihood, mask = scores(), likelihoods(), MASK.tolist()
    loss = Marginal(TEMPERATURE)(Responses.of_scores(retrieval, MASK), Credit(item_log_likelihood=likelihood))
    assert loss.shape == (3,)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), likelihood.tolist(), mask), abs=1e-12)
    for variable, by in (
        (retrieval, lambda table: brute_force(table, likelihood.tolist(), mask)),
        (likelihood, lambda table: brute_force(retrieval.tolist(), table, mask)),
    ):
        expected = torch.tensor(difference_gradient(by, variable.detach()), dtype=torch.float64)
        (actual,) = torch.autograd.grad(loss.sum(), variable, retain_graph=True)
        torch.testing.assert_close(actual, expected, atol=1e-8, rtol=1e-6)


def test_by_hand() -> None:
    # p(z) = 1/4, 3/4 and p(y | z) = 1/2, 1/6 -> p(y) = 1/8 + 1/8
    retrieval = torch.tensor([[0.0, math.log(3.0)]])
    likelihood = torch.tensor([[0.5, 1 / 6]]).log()
    loss = marginal_loss(retrieval, likelihood, torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log(4.0))


def test_one_item_gives_the_retriever_no_gradient() -> None:
    retrieval, likelihood = scores(), likelihoods()
    assert gradient(marginal_loss(retrieval, likelihood, MASK), retrieval)[2].tolist() == [0.0] * 4


def test_the_predictor_learns_too() -> None:
    retrieval, likelihood = scores(), likelihoods()
    assert (gradient(marginal_loss(retrieval, likelihood, MASK), likelihood)[MASK] < 0).all()


def test_no_items_is_zero_loss() -> None:
    retrieval = torch.full((2, 3), -torch.inf, requires_grad=True)
    loss = marginal_loss(retrieval, torch.full((2, 3), -torch.inf), torch.zeros(2, 3, dtype=torch.bool))
    assert loss.tolist() == [0.0, 0.0]
    assert gradient(loss, retrieval).tolist() == [[0.0] * 3] * 2


def test_no_places_at_all_is_zero_loss() -> None:
    nothing = torch.empty(2, 0)
    assert marginal_loss(nothing, nothing, torch.empty(2, 0, dtype=torch.bool)).tolist() == [0.0, 0.0]


def test_large_numbers_stay_finite() -> None:
    retrieval = torch.tensor([[3e4, -3e4]], requires_grad=True)
    loss = marginal_loss(retrieval, torch.tensor([[-2e4, -1.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(2e4)
    assert torch.isfinite(gradient(loss, retrieval)).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_likelihoods_that_are_not_finite_are_refused(bad: float) -> None:
    likelihood = likelihoods().detach()
    likelihood[1, 0] = bad
    with pytest.raises(ValueError, match="example 1"):
        Marginal()(Responses.of_scores(scores(), MASK), Credit(item_log_likelihood=likelihood))


def test_scores_that_are_not_finite_are_refused() -> None:
    retrieval = scores().detach()
    retrieval[0, 1] = math.nan
    with pytest.raises(ValueError, match="retrieval scores must be finite"):
        Marginal()(Responses.of_scores(retrieval, MASK), Credit(item_log_likelihood=likelihoods()))


def test_a_prediction_without_likelihoods_is_refused() -> None:
    assert Marginal().needs == Signal.ITEM_LIKELIHOOD
    with pytest.raises(ValueError, match="needs ITEM_LIKELIHOOD"):
        Marginal()(Responses.of_scores(scores(), MASK), Credit())


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan])
def test_a_temperature_must_be_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match=r"must be (positive|a finite number)"):
        Marginal(temperature)


class TestContractWithNull(FeedbackContract):
    def make(self) -> Feedback:
        return Marginal(null_score=0.0)


NULL_SCORE = 0.4
UNREAD = torch.tensor([[-1.0], [-0.2], [-4.0]], dtype=torch.float64)


def with_null(retrieval: Rows, likelihood: Rows, unread: Rows) -> float:
    """The null stands behind the items of each example."""
    scored = [[*shown(row, keep), NULL_SCORE] for row, keep in zip(retrieval, MASK.tolist(), strict=True)]
    said = [[*shown(row, keep), *null] for row, keep, null in zip(likelihood, MASK.tolist(), unread, strict=True)]
    return brute_force(scored, said, [[True] * len(row) for row in scored])


def test_with_a_null_item_value_and_gradients_equal_brute_force() -> None:
    retrieval, likelihood, unread = scores(), likelihoods(), UNREAD.clone().requires_grad_()
    told = Credit(item_log_likelihood=likelihood, null_log_likelihood=unread)
    loss = Marginal(TEMPERATURE, NULL_SCORE)(Responses.of_scores(retrieval, MASK), told)
    tables = retrieval.tolist(), likelihood.tolist(), UNREAD.tolist()
    assert loss.sum().item() == pytest.approx(with_null(*tables), abs=1e-12)
    for variable, by in (
        (retrieval, lambda table: with_null(table, tables[1], tables[2])),
        (likelihood, lambda table: with_null(tables[0], table, tables[2])),
        (unread, lambda table: with_null(tables[0], tables[1], table)),
    ):
        expected = torch.tensor(difference_gradient(by, variable.detach()), dtype=torch.float64)
        (actual,) = torch.autograd.grad(loss.sum(), variable, retain_graph=True)
        torch.testing.assert_close(actual, expected, atol=1e-8, rtol=1e-6)


def test_an_item_that_says_less_than_nothing_is_pushed_down_even_alone() -> None:
    """Without the null an only item has no gradient, however bad it is."""
    retrieval, mask = torch.zeros(1, 1, requires_grad=True), torch.ones(1, 1, dtype=torch.bool)
    for unread, sign in ((-1.0, 1.0), (-9.0, -1.0)):
        told = Credit(item_log_likelihood=torch.tensor([[-5.0]]), null_log_likelihood=torch.tensor([[unread]]))
        assert (
            gradient(Marginal(null_score=0.0)(Responses.of_scores(retrieval, mask), told), retrieval).sign().item()
            == sign
        )
        assert gradient(Marginal()(Responses.of_scores(retrieval, mask), told), retrieval).item() == 0.0


def test_a_null_item_by_hand() -> None:
    # p(z) = 1/4, 1/4 and 1/2 for the null; p(y | z) = 1, 0.2 and 0.1 -> p(y) = 0.25 + 0.05 + 0.05
    told = Credit(item_log_likelihood=torch.tensor([[1.0, 0.2]]).log(), null_log_likelihood=torch.tensor([[0.1]]).log())
    loss = Marginal(null_score=math.log(2.0))(
        Responses.of_scores(torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool)), told
    )
    assert loss.item() == pytest.approx(-math.log(0.35))


def test_an_example_without_items_teaches_nothing_with_a_null_item_either() -> None:
    nothing = torch.full((1, 2), -torch.inf)
    told = Credit(item_log_likelihood=nothing, null_log_likelihood=nothing[:, :1])
    assert Marginal(null_score=0.0)(
        Responses.of_scores(nothing, torch.zeros(1, 2, dtype=torch.bool)), told
    ).tolist() == [0.0]


def test_a_null_item_needs_what_the_predictor_says_without_items_and_a_finite_score() -> None:
    objective = Marginal(null_score=0.0)
    assert objective.needs == Signal.ITEM_LIKELIHOOD | Signal.NULL_LIKELIHOOD
    told = Credit(item_log_likelihood=likelihoods())
    with pytest.raises(ValueError, match="needs NULL_LIKELIHOOD"):
        objective(Responses.of_scores(scores(), MASK), told)
    with pytest.raises(ValueError, match="without any item must be finite"):
        objective(
            Responses.of_scores(scores(), MASK), replace(told, null_log_likelihood=torch.full((3, 1), -torch.inf))
        )
    with pytest.raises(ValueError, match="null_score is nan, but must be a finite number"):
        Marginal(null_score=math.nan)(Responses.of_scores(scores(), MASK), replace(told, null_log_likelihood=UNREAD))
