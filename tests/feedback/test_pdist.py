from __future__ import annotations

import math

import pytest
import torch

from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.distributions import distillation
from reml.feedback.pdist import Pdist
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, likelihoods, scores

TEMPERATURE, TARGET_TEMPERATURE = 0.6, 1.7


def brute_force(retrieval: Rows, likelihood: Rows) -> float:
    total = 0.0
    for row, log_likelihood, keep in zip(retrieval, likelihood, MASK.tolist(), strict=True):
        target = softmax(shown(log_likelihood, keep), TARGET_TEMPERATURE)
        student = softmax(shown(row, keep), TEMPERATURE)
        total += sum(q * math.log(q / p) for q, p in zip(target, student, strict=True))
    return total


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval, likelihood = scores(), likelihoods().detach()
    objective = Pdist(TEMPERATURE, TARGET_TEMPERATURE)
    loss = objective(Responses.of_scores(retrieval, MASK), Credit(item_log_likelihood=likelihood))
    assert loss.shape == (3,)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), likelihood.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, likelihood.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_by_hand() -> None:
    # target 3/4, 1/4 against 1/2, 1/2; the gradient is student minus target
    retrieval = torch.zeros(1, 2, requires_grad=True)
    loss = distillation(retrieval, torch.tensor([[0.6, 0.2]]).log(), mask=torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor([[-0.25, 0.25]]))


def test_perfect_agreement_has_zero_loss_and_zero_gradient() -> None:
    likelihood = likelihoods().detach()
    retrieval = (likelihood + 5.0).requires_grad_()
    loss = distillation(retrieval, likelihood, mask=MASK)
    torch.testing.assert_close(loss, torch.zeros_like(loss))
    torch.testing.assert_close(gradient(loss, retrieval), torch.zeros(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("copies", [2, 8])
def test_gradient_does_not_shrink_with_the_number_of_items(copies: int) -> None:
    """The trap: the mean over all elements, PyTorch's default, divides by K; a sum over items does not.

    Each item is repeated, so both distributions are the same ones, spread thinner: the loss must not change, nor what
    the copies of an item receive together.
    """
    retrieval, likelihood = scores().detach()[:1], likelihoods().detach()[:1]
    few, many = retrieval.clone().requires_grad_(), retrieval.repeat(1, copies).requires_grad_()
    loss = distillation(few, likelihood, mask=MASK[:1])
    spread = distillation(many, likelihood.repeat(1, copies), mask=MASK[:1].repeat(1, copies))
    torch.testing.assert_close(spread, loss)
    torch.testing.assert_close(gradient(spread, many).view(copies, 4).sum(dim=0), gradient(loss, few)[0])


def test_padding_changes_nothing() -> None:
    retrieval, likelihood = torch.tensor([[0.3, -0.1]]), torch.tensor([[-1.0, -2.0]])
    padded_scores = torch.tensor([[0.3, -0.1, -torch.inf]])
    padded_likelihood = torch.tensor([[-1.0, -2.0, -torch.inf]])
    loss = distillation(retrieval, likelihood, mask=torch.ones(1, 2, dtype=torch.bool))
    padded = distillation(padded_scores, padded_likelihood, mask=torch.tensor([[True, True, False]]))
    torch.testing.assert_close(loss, padded)


def test_the_predictor_gets_no_gradient() -> None:
    likelihood = likelihoods()
    loss = distillation(scores(), likelihood, mask=MASK)
    assert torch.autograd.grad(loss.sum(), likelihood, allow_unused=True)[0] is None


def test_one_item_gives_no_gradient() -> None:
    retrieval = scores()
    assert gradient(distillation(retrieval, likelihoods(), mask=MASK), retrieval)[2].tolist() == [0.0] * 4


def test_no_items_is_zero_loss() -> None:
    retrieval = torch.full((1, 2), -torch.inf, requires_grad=True)
    loss = distillation(retrieval, torch.full((1, 2), -torch.inf), mask=torch.zeros(1, 2, dtype=torch.bool))
    assert loss.tolist() == [0.0]
    assert gradient(loss, retrieval).tolist() == [[0.0, 0.0]]


def test_a_target_of_single_precision_is_not_cut_to_the_scores_half() -> None:
    likelihood = torch.tensor([[-100.0, -100.1]])
    loss = distillation(torch.zeros(1, 2, dtype=torch.bfloat16), likelihood, mask=torch.ones(1, 2, dtype=torch.bool))
    target = softmax([0.0, -0.1])
    assert loss.item() == pytest.approx(sum(q * math.log(2 * q) for q in target), rel=1e-3)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_likelihoods_that_are_not_finite_are_refused(bad: float) -> None:
    likelihood = likelihoods().detach()
    likelihood[0, 3] = bad
    with pytest.raises(ValueError, match="item log-likelihoods must be finite"):
        Pdist()(Responses.of_scores(scores(), MASK), Credit(item_log_likelihood=likelihood))


def test_settings_and_needs() -> None:
    assert Pdist().needs == Signal.ITEM_LIKELIHOOD
    with pytest.raises(ValueError, match="target_temperature is 0"):
        Pdist(target_temperature=0)
    with pytest.raises(ValueError, match="needs ITEM_LIKELIHOOD"):
        Pdist()(Responses.of_scores(scores(), MASK), Credit())
