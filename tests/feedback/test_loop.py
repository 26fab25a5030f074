from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.distributions import distillation
from reml.feedback.loop import Loop
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, likelihoods, repeated, scores

TEMPERATURE, TARGET_TEMPERATURE = 0.6, 1.7


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return Loop()


def brute_force(retrieval: Rows, without: Rows) -> float:
    total = 0.0
    for row, likelihood, keep in zip(retrieval, without, MASK.tolist(), strict=True):
        needed = [math.exp(-value / TARGET_TEMPERATURE) for value in shown(likelihood, keep)]
        student = softmax(shown(row, keep), TEMPERATURE)
        total += sum(q / sum(needed) * math.log(q / sum(needed) / p) for q, p in zip(needed, student, strict=True))
    return total


def loss_of(retrieval: Tensor, without: Tensor) -> Tensor:
    return Loop(TEMPERATURE, TARGET_TEMPERATURE)(Responses.of_scores(retrieval, MASK), Credit(leave_one_out=without))


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval, without = scores(), likelihoods().detach()
    loss = loss_of(retrieval, without)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), without.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, without.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_an_item_that_is_missed_is_pushed_up() -> None:
    """By hand: without item 0 the answer has 0.1, without item 1 it has 0.3; the target is 3/4, 1/4."""
    retrieval = torch.zeros(1, 2, requires_grad=True)
    loss = distillation(retrieval, -torch.tensor([[0.1, 0.3]]).log(), mask=torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor([[-0.25, 0.25]]))


def test_perfect_agreement_has_zero_loss_and_zero_gradient() -> None:
    without = likelihoods().detach()
    retrieval = (3.0 - without).requires_grad_()
    loss = distillation(retrieval, -without, mask=MASK)
    torch.testing.assert_close(loss, torch.zeros_like(loss))
    torch.testing.assert_close(gradient(loss, retrieval), torch.zeros(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("copies", [2, 8])
def test_gradient_does_not_shrink_with_the_number_of_items(copies: int) -> None:
    """The trap of the public code: the mean over all elements."""
    few, without = scores().detach()[:1].requires_grad_(), likelihoods().detach()[:1]
    many = repeated(few.detach(), copies).requires_grad_()
    loss = distillation(few, -without, mask=MASK[:1])
    spread = distillation(many, -repeated(without, copies), mask=repeated(MASK[:1], copies))
    torch.testing.assert_close(spread, loss)
    torch.testing.assert_close(gradient(spread, many).view(copies, 4).sum(dim=0), gradient(loss, few)[0])


def test_one_item_gives_no_gradient_and_the_predictor_none() -> None:
    retrieval, without = scores(), likelihoods()
    loss = loss_of(retrieval, without)
    assert torch.autograd.grad(loss.sum(), without, allow_unused=True, retain_graph=True)[0] is None
    assert gradient(loss, retrieval)[2].tolist() == [0.0] * 4


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_likelihoods_that_are_not_finite_are_refused(bad: float) -> None:
    without = likelihoods().detach()
    without[0, 3] = bad
    with pytest.raises(ValueError, match="leave-one-out log-likelihoods must be finite"):
        loss_of(scores(), without)


def test_a_temperature_must_be_positive() -> None:
    with pytest.raises(ValueError, match="target_temperature is 0"):
        Loop(target_temperature=0)
