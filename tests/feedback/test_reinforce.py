from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.reinforce import Reinforce, reinforce_loss, token_reward
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Row, Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, TARGET_MASK, gradient, repeated, scores, token_likelihoods

TEMPERATURE = 0.8


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return Reinforce()


def rewards() -> Rows:
    """The geometric mean of the token likelihoods of each item that is shown."""
    table: Rows = []
    for tokens, keep, said in zip(token_likelihoods().tolist(), MASK.tolist(), TARGET_MASK.tolist(), strict=True):
        items = [shown(token, said) for token, there in zip(tokens, keep, strict=True) if there]
        table.append([math.exp(sum(item) / len(item)) for item in items])
    return table


def policies(retrieval: Rows) -> Rows:
    return [softmax(shown(row, keep), TEMPERATURE) for row, keep in zip(retrieval, MASK.tolist(), strict=True)]


def expected_reward(retrieval: Rows, baselines: Row) -> float:
    """Enumerate every item that can be drawn."""
    return sum(
        p * (reward - baseline)
        for policy, gains, baseline in zip(policies(retrieval), rewards(), baselines, strict=True)
        for p, reward in zip(policy, gains, strict=True)
    )


def loss_of(retrieval: Tensor, tokens: Tensor) -> Tensor:
    prediction = Credit(token_log_likelihood=tokens, target_mask=TARGET_MASK)
    return Reinforce(TEMPERATURE)(Responses.of_scores(retrieval, MASK), prediction)


def test_value_equals_brute_force() -> None:
    retrieval = scores()
    expected = 0.0
    for policy, gains in zip(policies(retrieval.tolist()), rewards(), strict=True):
        baseline = sum(gains) / len(gains)
        expected -= sum(p * (reward - baseline) * math.log(p) for p, reward in zip(policy, gains, strict=True))
    assert loss_of(retrieval, token_likelihoods()).sum().item() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("baselines", [[0.0, 0.0, 0.0], [0.3, -2.0, 5.0]])
def test_gradient_is_that_of_the_expected_reward_whatever_the_baseline(baselines: Row) -> None:
    retrieval = scores()
    expected = difference_gradient(lambda table: -expected_reward(table, baselines), retrieval.detach())
    actual = gradient(loss_of(retrieval, token_likelihoods()), retrieval)
    torch.testing.assert_close(actual, torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_by_hand() -> None:
    """p = 1/2, 1/2 and rewards 0.9, 0.1: advantages 0.4, -0.4; gradient -p (r - E r) = -0.2, 0.2."""
    retrieval = torch.zeros(1, 2, requires_grad=True)
    loss = reinforce_loss(retrieval, torch.tensor([[0.9, 0.1]]), torch.ones(1, 2, dtype=torch.bool))
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor([[-0.2, 0.2]]))


def test_the_reward_does_not_depend_on_the_length_of_the_answer() -> None:
    tokens = torch.tensor([[[0.5, 0.5, 0.5], [0.2, 0.2, 0.2]]]).log()
    for length in (1, 2, 3):
        said = torch.arange(3)[None] < length
        torch.testing.assert_close(token_reward(tokens, said), torch.tensor([[0.5, 0.2]]))


def test_the_policy_is_not_differentiated_twice_and_the_predictor_gets_no_gradient() -> None:
    """The trap: without the stop-gradient of p in front, -sum p r log p has another gradient (that of an entropy)."""
    retrieval, reward = torch.tensor([[1.0, 0.0]], requires_grad=True), torch.tensor([[0.9, 0.1]], requires_grad=True)
    loss = reinforce_loss(retrieval, reward, torch.ones(1, 2, dtype=torch.bool))
    p = torch.softmax(retrieval.detach(), dim=-1)
    expected = -p * (reward.detach() - (p * reward.detach()).sum())
    to_scores, to_reward = torch.autograd.grad(loss.sum(), (retrieval, reward), allow_unused=True)
    torch.testing.assert_close(to_scores, expected)
    assert to_reward is None


def test_gradient_does_not_shrink_with_the_number_of_items() -> None:
    few = scores().detach()[:1].requires_grad_()
    reward, many = torch.rand(1, 4, dtype=torch.float64), repeated(few.detach(), 8).requires_grad_()
    loss = reinforce_loss(few, reward, MASK[:1])
    spread = reinforce_loss(many, repeated(reward, 8), repeated(MASK[:1], 8))
    torch.testing.assert_close(gradient(spread, many).view(8, 4).sum(dim=0), gradient(loss, few)[0])


def test_one_item_and_equal_rewards_give_no_gradient() -> None:
    retrieval = scores()
    assert gradient(loss_of(retrieval, token_likelihoods()), retrieval)[2].tolist() == [0.0] * 4
    equal = gradient(reinforce_loss(retrieval, torch.full((3, 4), 0.7), MASK), retrieval)
    torch.testing.assert_close(equal, torch.zeros(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_likelihoods_that_are_not_finite_are_refused(bad: float) -> None:
    tokens = token_likelihoods()
    tokens[0, 1, 0] = bad
    with pytest.raises(ValueError, match="token log-likelihoods must be finite"):
        loss_of(scores(), tokens)


def test_a_temperature_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Reinforce(-1.0)
