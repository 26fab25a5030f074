from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.lambda_loss import LambdaLoss, graded, lambda_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown
from tests.feedback.problems import MASK, gradient, scores, teacher_scores

TEMPERATURE = 0.7
GAINS = torch.tensor([[0.0, 2.0, 1.0, 2.0], [1.0, 0.0, 9.0, 9.0], [3.0, 0.0, 0.0, 0.0]], dtype=torch.float64)


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return LambdaLoss()


class TestContractOfTheBest(FeedbackContract):
    def make(self) -> Feedback:
        return LambdaLoss(top=2)


def ranks(values: list[float]) -> list[int]:
    return [1 + sum(other > value for other in values) for value in values]


def brute_force(retrieval: Rows, gains: Rows) -> float:
    """NDCG-Loss2 from its equations, pair by pair."""
    total = 0.0
    for row, labels, keep in zip(retrieval, gains, MASK.tolist(), strict=True):
        s, y = shown(row, keep), shown(labels, keep)
        best = sum((2**label - 1) / math.log2(2 + place) for place, label in enumerate(sorted(y, reverse=True)))
        r = ranks(s)
        for i in range(len(s)):
            for j in range(len(s)):
                if y[i] > y[j]:
                    gap = abs(r[i] - r[j])
                    delta = abs(1 / math.log2(1 + gap) - 1 / math.log2(2 + gap))
                    gain = abs((2 ** y[i] - 1) - (2 ** y[j] - 1)) / best
                    total += delta * gain * math.log2(1 + math.exp(-(s[i] - s[j]) / TEMPERATURE))
    return total


def loss_of(retrieval: Tensor, gains: Tensor, objective: LambdaLoss) -> Tensor:
    return objective(Responses.of_scores(retrieval, MASK), Credit(item_utility=gains))


def test_value_and_gradient_equal_the_equations_pair_by_pair() -> None:
    retrieval = scores()
    loss = loss_of(retrieval, GAINS, LambdaLoss(TEMPERATURE))
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), GAINS.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(table, GAINS.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-7, rtol=1e-6)


def test_by_hand_for_a_pair() -> None:
    """Gains 1 and 0, the wrong one a rank above: delta = 1 - 1 / log2(3), G = 1, and log2(1 + e^1)."""
    loss = lambda_loss(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]]), torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx((1 - 1 / math.log2(3)) * math.log2(1 + math.e), rel=1e-6)


def test_gains_of_a_teachers_best_items_are_those_of_idcm() -> None:
    """n - i for the i-th of the best n, whatever the teacher's scores are; what is hidden has none."""
    teacher = torch.tensor([[-7.0, 2.0, 90.0, -8.0], [0.5, 0.6, 9.0, 9.0], [-1.0, 0.0, 0.0, 0.0]])
    assert graded(teacher, MASK, 3).tolist() == [[1, 2, 3, 0], [2, 3, 0, 0], [3, 0, 0, 0]]
    retrieval = scores()
    best = loss_of(retrieval, teacher_scores(), LambdaLoss(TEMPERATURE, top=2))
    expected = brute_force(retrieval.tolist(), graded(teacher_scores(), MASK, 2).tolist())
    assert best.sum().item() == pytest.approx(expected, abs=1e-12)


def test_utilities_that_are_no_gains_are_refused() -> None:
    for wrong, said in ((-1.0, "-1"), (30.0, "30")):
        with pytest.raises(ValueError, match=f"takes utilities from 0 to 24 as gains .*one is {said}: set `top`"):
            loss_of(scores(), GAINS.index_fill(1, torch.tensor([0]), wrong), LambdaLoss())
    with pytest.raises(ValueError, match=r"LambdaLoss\.top is 0, but must be 1 or more"):
        LambdaLoss(top=0)
