from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.margin_mse import MarginMse, margin_mse_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown
from tests.feedback.problems import MASK, gradient, repeated, scores, teacher_scores

TEMPERATURE = 0.3


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return MarginMse()


def brute_force(retrieval: Rows, teacher: Rows) -> float:
    total = 0.0
    for row, taught, keep in zip(retrieval, teacher, MASK.tolist(), strict=True):
        items = list(zip(shown(row, keep), shown(taught, keep), strict=True))
        pairs = list(itertools.combinations(items, 2))
        squares = [((s - r) / TEMPERATURE - (u - v)) ** 2 for (s, u), (r, v) in pairs]
        total += sum(squares) / max(1, len(squares))
    return total


def loss_of(retrieval: Tensor, teacher: Tensor) -> Tensor:
    return MarginMse(TEMPERATURE)(Responses.of_scores(retrieval, MASK), Credit(item_utility=teacher))


def test_value_and_gradient_equal_all_pairs_enumerated() -> None:
    retrieval, teacher = scores(), teacher_scores()
    loss = loss_of(retrieval, teacher)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), teacher.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, teacher.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-7, rtol=1e-6)


def test_by_hand_for_the_pair_of_the_paper() -> None:
    """The teacher's margin is 5, the retriever's 1.5: (1.5 - 5)^2."""
    loss = margin_mse_loss(torch.tensor([[2.0, 0.5]]), torch.tensor([[7.0, 2.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(12.25)


def test_only_margins_count_so_a_shifted_teacher_who_agrees_teaches_nothing() -> None:
    retrieval = teacher_scores().requires_grad_()
    loss = margin_mse_loss(retrieval, teacher_scores() + 40, MASK)
    torch.testing.assert_close(loss, torch.zeros_like(loss))
    torch.testing.assert_close(gradient(loss, retrieval), torch.zeros(3, 4, dtype=torch.float64))


@pytest.mark.parametrize("copies", [2, 8])
def test_gradient_does_not_shrink_with_the_number_of_items(copies: int) -> None:
    """Copies of one item make pairs without error: of (cK)(cK - 1) ordered pairs cK(cK - c) count."""
    few, teacher = scores().detach()[:1].requires_grad_(), teacher_scores()[:1]
    many = repeated(few.detach(), copies).requires_grad_()
    alone = gradient(margin_mse_loss(few, teacher, MASK[:1]), few)[0]
    spread = margin_mse_loss(many, repeated(teacher, copies), repeated(MASK[:1], copies))
    together = gradient(spread, many).view(copies, 4).sum(dim=0)
    torch.testing.assert_close(together, alone * copies * 3 / (copies * 4 - 1))


def test_the_teacher_gets_no_gradient_and_one_item_none() -> None:
    retrieval, teacher = scores(), teacher_scores().requires_grad_()
    loss = loss_of(retrieval, teacher)
    to_scores, to_teacher = torch.autograd.grad(loss.sum(), (retrieval, teacher), allow_unused=True)
    assert loss[2].item() == 0
    assert to_teacher is None
    assert to_scores[2].tolist() == [0.0] * 4


def test_no_places_at_all_is_zero_loss() -> None:
    nothing = torch.empty(2, 0)
    assert margin_mse_loss(nothing, nothing, torch.empty(2, 0, dtype=torch.bool)).tolist() == [0.0, 0.0]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="item utilities must be finite"):
        loss_of(scores(), teacher_scores().index_fill(1, torch.tensor([0]), math.inf))
    with pytest.raises(ValueError, match="must be positive"):
        MarginMse(0.0)
