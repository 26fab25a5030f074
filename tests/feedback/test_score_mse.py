from __future__ import annotations

import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.score_mse import ScoreMse
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown
from tests.feedback.problems import MASK, gradient, scores, teacher_scores


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return ScoreMse()


def brute_force(retrieval: Rows) -> float:
    total = 0.0
    for row, taught, keep in zip(retrieval, teacher_scores().tolist(), MASK.tolist(), strict=True):
        squares = [(s / 0.5 - u) ** 2 for s, u in zip(shown(row, keep), shown(taught, keep), strict=True)]
        total += sum(squares) / len(squares)
    return total


def test_value_and_gradient_equal_the_items_enumerated() -> None:
    retrieval = scores()
    loss = ScoreMse(0.5)(Responses.of_scores(retrieval, MASK), Credit(item_utility=teacher_scores()))
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist()), abs=1e-12)
    expected = difference_gradient(brute_force, retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-7, rtol=1e-6)
