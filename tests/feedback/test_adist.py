from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.adist import Adist, adist_loss
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, scores

TEMPERATURE = 0.8


def masses() -> Tensor:
    return torch.rand(3, 4, generator=torch.Generator().manual_seed(4), dtype=torch.float64)


def brute_force(retrieval: Rows, attention: Rows) -> float:
    total = 0.0
    for row, mass, keep in zip(retrieval, attention, MASK.tolist(), strict=True):
        there = shown(mass, keep)
        student = softmax(shown(row, keep), TEMPERATURE)
        total += sum(a / sum(there) * math.log(a / sum(there) / p) for a, p in zip(there, student, strict=True))
    return total


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval, attention = scores(), masses()
    loss = Adist(TEMPERATURE)(Responses.of_scores(retrieval, MASK), Credit(attention=attention))
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), attention.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, attention.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_only_the_share_of_attention_counts() -> None:
    torch.testing.assert_close(adist_loss(scores(), masses(), MASK), adist_loss(scores(), 7 * masses(), MASK))


def test_an_item_without_attention_is_pushed_down() -> None:
    retrieval = torch.zeros(1, 2, requires_grad=True)
    loss = adist_loss(retrieval, torch.tensor([[1.0, 0.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log(2.0))
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor([[-0.5, 0.5]]))


def test_no_attention_at_all_is_a_uniform_target() -> None:
    retrieval = torch.zeros(1, 2, requires_grad=True)
    loss = adist_loss(retrieval, torch.zeros(1, 2), torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(0.0)


def test_perfect_agreement_is_zero_and_the_predictor_gets_no_gradient() -> None:
    attention = masses().requires_grad_()
    loss = adist_loss(attention.detach().log().requires_grad_(), attention, MASK)
    torch.testing.assert_close(loss, torch.zeros_like(loss))
    assert torch.autograd.grad(loss.sum(), attention, allow_unused=True)[0] is None


def test_one_item_gives_no_gradient_and_no_items_zero_loss() -> None:
    retrieval = scores()
    assert gradient(adist_loss(retrieval, masses(), MASK), retrieval)[2].tolist() == [0.0] * 4
    nothing = adist_loss(torch.zeros(1, 2), torch.zeros(1, 2), torch.zeros(1, 2, dtype=torch.bool))
    assert nothing.tolist() == [0.0]


def test_bad_input_is_refused() -> None:
    assert Adist().needs == Signal.ATTENTION
    negative = masses()
    negative[0, 0] = -0.1
    with pytest.raises(ValueError, match="must not be negative"):
        Adist()(Responses.of_scores(scores(), MASK), Credit(attention=negative))
    with pytest.raises(ValueError, match="needs ATTENTION"):
        Adist()(Responses.of_scores(scores(), MASK), Credit())
    with pytest.raises(ValueError, match="must be positive"):
        Adist(temperature=-1)
