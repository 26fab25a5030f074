from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.distributions import distillation
from reml.feedback.kl_distillation import KlDistillation
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown, softmax
from tests.feedback.problems import MASK, gradient, repeated, scores, teacher_scores

TEMPERATURE, TARGET_TEMPERATURE = 0.7, 2.5


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return KlDistillation()


def brute_force(retrieval: Rows, teacher: Rows) -> float:
    total = 0.0
    for row, taught, keep in zip(retrieval, teacher, MASK.tolist(), strict=True):
        target = softmax(shown(taught, keep), TARGET_TEMPERATURE)
        student = softmax(shown(row, keep), TEMPERATURE)
        total += sum(q * math.log(q / p) for q, p in zip(target, student, strict=True))
    return total


def loss_of(retrieval: Tensor, teacher: Tensor) -> Tensor:
    prediction = Credit(item_utility=teacher)
    return KlDistillation(TEMPERATURE, TARGET_TEMPERATURE)(Responses.of_scores(retrieval, MASK), prediction)


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval, teacher = scores(), teacher_scores()
    loss = loss_of(retrieval, teacher)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), teacher.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, teacher.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_a_teacher_who_agrees_teaches_nothing_whatever_its_scale() -> None:
    teacher = teacher_scores()
    retrieval = (teacher / 3 + 1).requires_grad_()
    loss = distillation(retrieval, teacher, mask=MASK, target_temperature=3.0)
    torch.testing.assert_close(loss, torch.zeros_like(loss))
    torch.testing.assert_close(gradient(loss, retrieval), torch.zeros(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("copies", [2, 8])
def test_gradient_does_not_shrink_with_the_number_of_items(copies: int) -> None:
    few, teacher = scores().detach()[:1].requires_grad_(), teacher_scores()[:1]
    many = repeated(few.detach(), copies).requires_grad_()
    loss = distillation(few, teacher, mask=MASK[:1])
    spread = distillation(many, repeated(teacher, copies), mask=repeated(MASK[:1], copies))
    torch.testing.assert_close(spread, loss)
    torch.testing.assert_close(gradient(spread, many).view(copies, 4).sum(dim=0), gradient(loss, few)[0])


def test_the_teacher_gets_no_gradient_and_one_item_none() -> None:
    retrieval, teacher = scores(), teacher_scores().requires_grad_()
    to_scores, to_teacher = torch.autograd.grad(
        loss_of(retrieval, teacher).sum(), (retrieval, teacher), allow_unused=True
    )
    assert to_teacher is None
    assert to_scores[2].tolist() == [0.0] * 4


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_teacher_who_is_not_finite_is_refused(bad: float) -> None:
    teacher = teacher_scores()
    teacher[1, 1] = bad
    with pytest.raises(ValueError, match=r"item utilities must be finite.*example 1 has (nan|inf|-inf) for item 1"):
        loss_of(scores(), teacher)


def test_a_temperature_must_be_positive() -> None:
    with pytest.raises(ValueError, match="temperature is 0"):
        KlDistillation(temperature=0)
