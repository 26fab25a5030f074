from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.utility_distillation import UtilityDistillation, utility_distillation_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, repeated, scores

TEMPERATURE, TARGET_TEMPERATURE = 0.9, 0.4
# Exact match of the first, F1 of the second, the only item of the third.
UTILITY = torch.tensor([[0.0, 1.0, 1.0, 0.0], [0.25, 0.5, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return UtilityDistillation()


def brute_force(retrieval: Rows) -> float:
    total = 0.0
    for row, useful, keep in zip(retrieval, UTILITY.tolist(), MASK.tolist(), strict=True):
        target = softmax(shown(useful, keep), TARGET_TEMPERATURE)
        student = softmax(shown(row, keep), TEMPERATURE)
        total += sum(q * math.log(q / p) for q, p in zip(target, student, strict=True))
    return total


def loss_of(retrieval: Tensor, utility: Tensor = UTILITY) -> Tensor:
    prediction = Credit(item_utility=utility)
    return UtilityDistillation(TEMPERATURE, TARGET_TEMPERATURE)(Responses.of_scores(retrieval, MASK), prediction)


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval = scores()
    loss = loss_of(retrieval)
    # Utilities are single precision.
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist()), abs=1e-6)
    expected = difference_gradient(brute_force, retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-6, rtol=1e-5)


def test_useful_items_are_pushed_up_and_others_down() -> None:
    retrieval = torch.zeros(3, 4, requires_grad=True)
    pushed = gradient(loss_of(retrieval), retrieval)[0]
    assert torch.equal(pushed < 0, UTILITY[0] > 0)


@pytest.mark.parametrize("useful", [0.0, 1.0])
def test_an_answer_in_no_item_or_in_all_teaches_nothing(useful: float) -> None:
    """The trap: a uniform target would pull the scores together."""
    retrieval = scores()
    loss = loss_of(retrieval, torch.full((3, 4), useful))
    assert loss.tolist() == [0.0] * 3
    assert gradient(loss, retrieval).tolist() == [[0.0] * 4] * 3


def test_what_is_masked_makes_no_difference() -> None:
    utility = torch.tensor([[1.0, 1.0, 0.0]])
    mask = torch.tensor([[True, True, False]])
    assert utility_distillation_loss(torch.tensor([[0.0, 3.0, 9.0]]), utility, mask=mask).tolist() == [0.0]


@pytest.mark.parametrize("copies", [2, 8])
def test_gradient_does_not_shrink_with_the_number_of_items(copies: int) -> None:
    few = scores().detach()[:1].requires_grad_()
    many = repeated(few.detach(), copies).requires_grad_()
    loss = utility_distillation_loss(few, UTILITY[:1], mask=MASK[:1])
    spread = utility_distillation_loss(many, repeated(UTILITY[:1], copies), mask=repeated(MASK[:1], copies))
    torch.testing.assert_close(gradient(spread, many).view(copies, 4).sum(dim=0), gradient(loss, few)[0])


def test_no_places_at_all_is_zero_loss() -> None:
    nothing = torch.empty(2, 0)
    assert utility_distillation_loss(nothing, nothing, mask=torch.empty(2, 0, dtype=torch.bool)).tolist() == [0.0, 0.0]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="item utilities must be finite"):
        loss_of(scores(), UTILITY.masked_fill(UTILITY == 0.25, math.nan))
    with pytest.raises(ValueError, match="target_temperature is -1"):
        UtilityDistillation(target_temperature=-1)
