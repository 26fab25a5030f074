from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.marginal import marginal_loss
from reml.feedback.marginal_token import MarginalToken, marginal_token_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, TARGET_MASK, gradient, scores, token_likelihoods

TEMPERATURE = 0.6


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return MarginalToken()


def brute_force(retrieval: Rows, tokens: list[Rows]) -> float:
    """Enumerate all ways to draw one item for each token: there are K^T."""
    total = 0.0
    for row, likelihood, keep, said in zip(retrieval, tokens, MASK.tolist(), TARGET_MASK.tolist(), strict=True):
        prior = softmax(shown(row, keep), TEMPERATURE)
        items = [shown(token, said) for token, there in zip(likelihood, keep, strict=True) if there]
        ways = itertools.product(range(len(items)), repeat=sum(said))
        total -= math.log(sum(math.prod(prior[k] * math.exp(items[k][t]) for t, k in enumerate(way)) for way in ways))
    return total


def loss_of(retrieval: Tensor, tokens: Tensor) -> Tensor:
    prediction = Credit(token_log_likelihood=tokens, target_mask=TARGET_MASK)
    return MarginalToken(TEMPERATURE)(Responses.of_scores(retrieval, MASK), prediction)


def test_value_and_gradient_equal_all_ways_enumerated() -> None:
    retrieval, tokens = scores(), token_likelihoods()
    loss = loss_of(retrieval, tokens)
    assert loss.shape == (3,)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), tokens.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, tokens.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_the_predictor_learns_too_by_the_posterior_of_each_token() -> None:
    # p(z) = 1/2, 1/2; token 1: 0.6, 0.2 -> posterior 3/4, 1/4; token 2: 0.1, 0.3 -> 1/4, 3/4
    tokens = torch.tensor([[[0.6, 0.1], [0.2, 0.3]]]).log().requires_grad_()
    mask = torch.ones(1, 2, dtype=torch.bool)
    loss = marginal_token_loss(torch.zeros(1, 2), tokens, mask=mask, target_mask=mask)
    assert loss.item() == pytest.approx(-math.log(0.4 * 0.2))
    torch.testing.assert_close(gradient(loss, tokens), -torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))


def test_for_one_token_it_is_the_marginal_and_for_more_it_is_not() -> None:
    """The trap: per-token sums where the paper's is per answer. Both are here, under their own names."""
    retrieval, tokens = scores(), token_likelihoods()
    one = torch.tensor([[True, False, False]] * 3)
    answer = tokens[:, :, 0].masked_fill(~MASK, -torch.inf)
    same = marginal_token_loss(retrieval, tokens, mask=MASK, target_mask=one)
    torch.testing.assert_close(same, marginal_loss(retrieval, answer, MASK))
    longer = marginal_token_loss(retrieval, tokens, mask=MASK, target_mask=TARGET_MASK)
    assert (longer[:1] - marginal_loss(retrieval, tokens.sum(2), MASK)[:1]).abs().item() > 0.01


def test_one_item_gives_no_gradient() -> None:
    retrieval = scores()
    assert gradient(loss_of(retrieval, token_likelihoods()), retrieval)[2].tolist() == [0.0] * 4


def test_padding_of_tokens_changes_nothing() -> None:
    tokens = token_likelihoods()
    nonsense = tokens.masked_fill(~TARGET_MASK[:, None], -7.0)
    torch.testing.assert_close(loss_of(scores(), tokens), loss_of(scores(), nonsense))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_likelihoods_that_are_not_finite_are_refused(bad: float) -> None:
    tokens = token_likelihoods()
    tokens[0, 1, 0] = bad
    with pytest.raises(ValueError, match="token log-likelihoods must be finite"):
        loss_of(scores(), tokens)


def test_a_temperature_must_be_positive() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        MarginalToken(0.0)
