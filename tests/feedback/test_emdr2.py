from __future__ import annotations

import math

import pytest
import torch

from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.emdr2 import Emdr2, Emdr2PerToken, emdr2_loss, emdr2_per_token_loss
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, TARGET_MASK, gradient, likelihoods, scores, token_likelihoods

TEMPERATURE = 1.3


def brute_force(retrieval: Rows, likelihood: Rows) -> float:
    total = 0.0
    for row, log_likelihood, keep in zip(retrieval, likelihood, MASK.tolist(), strict=True):
        prior = softmax(shown(row, keep), TEMPERATURE)
        total -= math.log(sum(p * math.exp(value) for p, value in zip(prior, shown(log_likelihood, keep), strict=True)))
    return total


def brute_force_per_token(retrieval: Rows) -> float:
    total = 0.0
    for b, (row, keep) in enumerate(zip(retrieval, MASK.tolist(), strict=True)):
        prior = softmax(shown(row, keep), TEMPERATURE)
        length = int(TARGET_MASK[b].sum())
        for t in range(length):
            token = shown(token_likelihoods()[b, :, t].tolist(), keep)
            total -= math.log(sum(p * math.exp(value) for p, value in zip(prior, token, strict=True))) / length
    return total


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval, likelihood = scores(), likelihoods().detach()
    loss = Emdr2(TEMPERATURE)(Responses.of_scores(retrieval, MASK), Credit(item_log_likelihood=likelihood))
    assert loss.shape == (3,)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), likelihood.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, likelihood.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_gradient_is_prior_minus_posterior() -> None:
    retrieval = torch.zeros(1, 2, requires_grad=True)  # prior 1/2, 1/2; posterior 3/4, 1/4
    loss = emdr2_loss(retrieval, torch.tensor([[0.6, 0.2]]).log(), torch.ones(1, 2, dtype=torch.bool))
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor([[-0.25, 0.25]]))


def test_the_predictor_gets_no_gradient() -> None:
    likelihood = likelihoods()
    loss = emdr2_loss(scores(), likelihood, MASK)
    assert torch.autograd.grad(loss.sum(), likelihood, allow_unused=True)[0] is None


def test_per_token_value_and_gradient_equal_brute_force() -> None:
    retrieval = scores()
    prediction = Credit(token_log_likelihood=token_likelihoods(), target_mask=TARGET_MASK)
    loss = Emdr2PerToken(TEMPERATURE)(Responses.of_scores(retrieval, MASK), prediction)
    assert loss.shape == (3,)
    assert loss.sum().item() == pytest.approx(brute_force_per_token(retrieval.tolist()), abs=1e-12)
    expected = difference_gradient(brute_force_per_token, retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_per_token_credits_an_item_for_half_an_answer_and_per_answer_does_not() -> None:
    # Item 0 gives both tokens with 1/2; item 1 the first surely and the second hardly.
    tokens = torch.tensor([[[0.5, 0.5], [1.0, 1e-3]]]).log()
    retrieval = torch.zeros(1, 2, requires_grad=True)
    mask = torch.ones(1, 2, dtype=torch.bool)
    answer = gradient(emdr2_loss(retrieval, tokens.sum(dim=-1), mask), retrieval)
    token = gradient(emdr2_per_token_loss(retrieval, tokens, mask=mask, target_mask=mask), retrieval)
    assert answer[0, 1] > 0.49  # the paper's form all but drops item 1: posterior 0.004
    assert token[0, 1] < 0.2  # the per-token form keeps it: mean posterior 0.33


def test_both_forms_agree_for_an_answer_of_one_token() -> None:
    retrieval, likelihood = scores(), likelihoods().detach()
    one = emdr2_per_token_loss(
        retrieval, likelihood[:, :, None], mask=MASK, target_mask=torch.ones(3, 1, dtype=torch.bool)
    )
    torch.testing.assert_close(one, emdr2_loss(retrieval, likelihood, MASK))


def test_one_item_gives_no_gradient() -> None:
    retrieval = scores()
    assert gradient(emdr2_loss(retrieval, likelihoods(), MASK), retrieval)[2].tolist() == [0.0] * 4


def test_no_items_is_zero_loss_in_both_forms() -> None:
    retrieval = torch.full((1, 2), -torch.inf, requires_grad=True)
    mask, target_mask = torch.zeros(1, 2, dtype=torch.bool), torch.ones(1, 3, dtype=torch.bool)
    for loss in (
        emdr2_loss(retrieval, torch.full((1, 2), -torch.inf), mask),
        emdr2_per_token_loss(retrieval, torch.zeros(1, 2, 3), mask=mask, target_mask=target_mask),
    ):
        assert loss.tolist() == [0.0]
        assert gradient(loss, retrieval).tolist() == [[0.0, 0.0]]


def test_token_likelihoods_that_are_not_finite_are_refused() -> None:
    tokens = token_likelihoods()
    tokens[0, 2, 1] = math.nan
    with pytest.raises(ValueError, match=r"token log-likelihoods must be finite.*example 0"):
        Emdr2PerToken()(
            Responses.of_scores(scores(), MASK), Credit(token_log_likelihood=tokens, target_mask=TARGET_MASK)
        )


def test_what_is_missing_is_named() -> None:
    assert Emdr2().needs == Signal.ITEM_LIKELIHOOD
    assert Emdr2PerToken().needs == Signal.TOKEN_LIKELIHOOD
    with pytest.raises(ValueError, match="ITEM_LIKELIHOOD"):
        Emdr2()(Responses.of_scores(scores(), MASK), Credit())
    with pytest.raises(ValueError, match="TOKEN_LIKELIHOOD"):
        Emdr2PerToken()(Responses.of_scores(scores(), MASK), Credit())


@pytest.mark.parametrize("objective", [Emdr2, Emdr2PerToken])
def test_a_temperature_must_be_positive(objective: type[Emdr2] | type[Emdr2PerToken]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        objective(temperature=0.0)
