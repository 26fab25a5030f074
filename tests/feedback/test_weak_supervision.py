from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.weak_supervision import Rank, RankProb, rank_loss, rank_prob_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown
from tests.feedback.problems import MASK, gradient, scores, teacher_scores

BOTH = torch.ones(1, 2, dtype=torch.bool)


class TestRank(FeedbackContract):
    def make(self) -> Feedback:
        return Rank()


class TestRankProb(FeedbackContract):
    def make(self) -> Feedback:
        return RankProb()


def rank_of_pair(s: float, r: float, _u: float, _v: float) -> float:
    return max(0.0, 0.7 - (s - r))


def rank_prob_of_pair(s: float, r: float, u: float, v: float) -> float:
    p = 1 / (1 + math.exp(r - s))
    return -(u / (u + v)) * math.log(p) - (v / (u + v)) * math.log(1 - p)


PAIRS = {"rank": rank_of_pair, "rank_prob": rank_prob_of_pair}
OBJECTIVES: dict[str, Feedback] = {"rank": Rank(0.7), "rank_prob": RankProb()}


def brute_force(name: str, retrieval: Rows, utility: Rows) -> float:
    total = 0.0
    for row, judged, keep in zip(retrieval, utility, MASK.tolist(), strict=True):
        items = list(zip(shown(row, keep), shown(judged, keep), strict=True))
        losses = [PAIRS[name](s, r, u, v) for (s, u), (r, v) in itertools.permutations(items, 2) if u > v]
        total += sum(losses) / max(1, len(losses))
    return total


def utilities() -> Tensor:
    return teacher_scores().abs()


@pytest.mark.parametrize("name", ["rank", "rank_prob"])
def test_value_and_gradient_equal_all_pairs_enumerated(name: str) -> None:
    retrieval, utility = scores(), utilities()
    loss = OBJECTIVES[name](Responses.of_scores(retrieval, MASK), Credit(item_utility=utility))
    assert loss.sum().item() == pytest.approx(brute_force(name, retrieval.tolist(), utility.tolist()), abs=1e-12)
    expected = difference_gradient(lambda table: brute_force(name, table, utility.tolist()), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-7, rtol=1e-6)


def test_rank_by_hand() -> None:
    """The better item leads by 0.4 of the margin 1; led by 0.4, it lacks 1.4; at a lead of 1 nothing is lost."""
    utility = torch.tensor([[9.0, 2.0]])
    for lead, loss in ((0.4, 0.6), (-0.4, 1.4), (1.0, 0.0), (3.0, 0.0)):
        assert rank_loss(torch.tensor([[lead, 0.0]]), utility, BOTH).item() == pytest.approx(loss)


def test_rank_prob_is_least_where_the_scores_are_as_sure_as_the_teacher() -> None:
    """P = 3 / (3 + 1): the gradient is zero where sigmoid(s_1 - s_2) is 3/4, and the loss there is its entropy."""
    retrieval = torch.tensor([[math.log(3.0), 0.0]], requires_grad=True)
    loss = rank_prob_loss(retrieval, torch.tensor([[3.0, 1.0]]), BOTH)
    assert loss.item() == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    torch.testing.assert_close(gradient(loss, retrieval), torch.zeros(1, 2), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["rank", "rank_prob"])
def test_items_of_equal_utility_teach_nothing(name: str) -> None:
    for utility in (0.0, 2.0):
        retrieval = torch.tensor([[1.0, -1.0]], requires_grad=True)
        loss = OBJECTIVES[name](Responses.of_scores(retrieval, BOTH), Credit(item_utility=torch.full((1, 2), utility)))
        assert loss.item() == 0
        assert gradient(loss, retrieval).tolist() == [[0.0, 0.0]]


def test_bad_input_is_refused() -> None:
    below = Credit(item_utility=torch.tensor([[1.0, -0.5]]))
    with pytest.raises(ValueError, match=r"utilities of 0 or more.*choose `Rank`"):
        RankProb()(Responses.of_scores(torch.zeros(1, 2), BOTH), below)
    assert Rank()(Responses.of_scores(torch.zeros(1, 2), BOTH), below).item() == 1
    with pytest.raises(ValueError, match="margin is 0"):
        Rank(0)
    with pytest.raises(ValueError, match="needs ITEM_UTILITY"):
        Rank()(Responses.of_scores(torch.zeros(1, 2), BOTH), Credit())
