from __future__ import annotations

import math

import pytest
import torch

from reml.feedback.distributions import check_finite, divergence, masked_log_softmax, where_any_item


def test_log_softmax_by_hand_with_a_temperature() -> None:
    values = torch.tensor([[0.0, math.log(4.0) * 2.0, 99.0]])
    mask = torch.tensor([[True, True, False]])
    probability = masked_log_softmax(values, mask, temperature=2.0).exp()
    torch.testing.assert_close(probability, torch.tensor([[0.2, 0.8, 0.0]]))


@pytest.mark.parametrize("hidden", [math.nan, math.inf, -math.inf])
def test_what_the_mask_hides_may_be_anything_and_gets_no_gradient(hidden: float) -> None:
    values = torch.tensor([[1.0, 2.0, hidden]], requires_grad=True)
    mask = torch.tensor([[True, True, False]])
    masked_log_softmax(values, mask)[:, 0].sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()
    assert values.grad[0, 2] == 0


def test_an_example_without_items_has_zero_loss_and_zero_gradient() -> None:
    values = torch.full((1, 3), -torch.inf, requires_grad=True)
    mask = torch.zeros(1, 3, dtype=torch.bool)
    loss = where_any_item(-torch.logsumexp(masked_log_softmax(values, mask), dim=-1), mask)
    loss.sum().backward()  # type: ignore[no-untyped-call]
    assert loss.tolist() == [0.0]
    assert values.grad is not None
    assert values.grad.tolist() == [[0.0, 0.0, 0.0]]


def test_half_precision_is_computed_in_single() -> None:
    result = masked_log_softmax(torch.zeros(1, 3, dtype=torch.bfloat16), torch.ones(1, 3, dtype=torch.bool))
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, torch.full((1, 3), -math.log(3.0)))


def test_divergence_by_hand_is_a_sum_over_items() -> None:
    target = torch.tensor([[0.5, 0.5]]).log()
    other = torch.tensor([[0.25, 0.75]]).log()
    expected = 0.5 * math.log(2.0) + 0.5 * math.log(2.0 / 3.0)
    assert divergence(target, other, torch.ones(1, 2, dtype=torch.bool)).item() == pytest.approx(expected)


def test_infinite_values_are_refused_with_their_place() -> None:
    values = torch.tensor([[0.0, 0.0], [0.0, -torch.inf]])
    with pytest.raises(ValueError, match=r"item log-likelihoods must be finite.*example 1 has -inf for item 1.*floor"):
        check_finite(values, torch.ones(2, 2, dtype=torch.bool), "item log-likelihoods")
    check_finite(values, torch.tensor([[True, True], [True, False]]), "item log-likelihoods")


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"retrieval scores have shape \(1, 3\) but the mask \(1, 2\)"):
        check_finite(torch.zeros(1, 3), torch.ones(1, 2, dtype=torch.bool), "retrieval scores")
