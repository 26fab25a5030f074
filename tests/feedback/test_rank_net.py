from __future__ import annotations

import itertools
import math

import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.rank_net import RankNet, rank_net_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown
from tests.feedback.problems import MASK, gradient, scores, teacher_scores


class TestRankNet(FeedbackContract):
    def make(self) -> Feedback:
        return RankNet()


def brute_force(retrieval: Rows, utility: Rows, temperature: float) -> float:
    total = 0.0
    for row, judged, keep in zip(retrieval, utility, MASK.tolist(), strict=True):
        items = list(zip(shown(row, keep), shown(judged, keep), strict=True))
        losses = [
            math.log(1 + math.exp((t - s) / temperature))
            for (s, u), (t, v) in itertools.permutations(items, 2)
            if u > v
        ]
        total += sum(losses) / max(1, len(losses))
    return total


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_value_and_gradient_equal_all_pairs_enumerated(temperature: float) -> None:
    retrieval, utility = scores(), teacher_scores()
    loss = RankNet(temperature)(Responses.of_scores(retrieval, MASK), Credit(item_utility=utility))
    expected = brute_force(retrieval.tolist(), utility.tolist(), temperature)
    assert loss.sum().item() == pytest.approx(expected, abs=1e-12)
    slopes = difference_gradient(lambda rows: brute_force(rows, utility.tolist(), temperature), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(slopes).double(), atol=1e-7, rtol=1e-6)


def test_by_hand() -> None:
    """One pair differs: the better item is behind by 1."""
    pair = torch.ones(1, 3, dtype=torch.bool)
    loss = rank_net_loss(torch.tensor([[0.0, 1.0, 1.0]]), torch.tensor([[1.0, 0.0, 0.0]]), pair)
    assert loss.item() == pytest.approx(math.log(1 + math.e))
    alike = rank_net_loss(torch.tensor([[0.0, 1.0, 1.0]]), torch.ones(1, 3), pair)
    assert alike.item() == 0, "no pair differs"


def test_the_size_of_a_utility_does_not_count() -> None:
    mask, retrieval = torch.ones(1, 2, dtype=torch.bool), torch.tensor([[0.2, 0.4]])
    losses = [rank_net_loss(retrieval, torch.tensor([[most, 0.0]]), mask).item() for most in (0.1, 9.0)]
    assert losses[0] == losses[1]
