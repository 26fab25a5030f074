from __future__ import annotations

import itertools
import math

import pytest
import torch

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit
from reml.feedback.cldrd import Cldrd, cldrd_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Rows, difference_gradient, shown
from tests.feedback.problems import MASK, gradient, repeated, scores, teacher_scores


class TestCldrd(FeedbackContract):
    def make(self) -> Feedback:
        return Cldrd()


def brute_force(retrieval: Rows, utility: Rows, temperature: float) -> float:
    total = 0.0
    for row, judged, keep in zip(retrieval, utility, MASK.tolist(), strict=True):
        own = shown(row, keep)
        ranks = [1 + sum(other > score for other in own) for score in own]
        items = list(zip(own, ranks, shown(judged, keep), strict=True))
        losses = [
            abs(1 / r - 1 / q) * math.log(1 + math.exp((t - s) / temperature))
            for (s, r, u), (t, q, v) in itertools.permutations(items, 2)
            if u > v
        ]
        total += sum(losses) / max(1, len(losses))
    return total


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_value_and_gradient_equal_all_pairs_enumerated(temperature: float) -> None:
    retrieval, utility = scores(), teacher_scores()
    loss = Cldrd(temperature)(Responses.of_scores(retrieval, MASK), Credit(item_utility=utility))
    expected = brute_force(retrieval.tolist(), utility.tolist(), temperature)
    assert loss.sum().item() == pytest.approx(expected, abs=1e-12)
    slopes = difference_gradient(lambda rows: brute_force(rows, utility.tolist(), temperature), retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(slopes).double(), atol=1e-7, rtol=1e-6)


def test_by_hand() -> None:
    """The best item has the lowest score: ranks 3, 1, 2, weights |1/3 - 1|, |1/3 - 1/2| and |1 - 1/2|."""
    retrieval, labels = torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([[1.0, 0.5, -0.25]])
    first, second, third = (math.log(1 + math.exp(-lead)) for lead in (-2.0, -1.0, 1.0))
    expected = (2 / 3 * first + 1 / 6 * second + 1 / 2 * third) / 3
    assert cldrd_loss(retrieval, labels, torch.ones(1, 3, dtype=torch.bool)).item() == pytest.approx(expected)


def test_ranks_are_the_retrievers_and_not_the_teachers() -> None:
    """A pair far down the retriever's list weighs less than one at its top, however the teacher ranks the two."""
    labels, mask = torch.tensor([[1.0, 0.0, 0.0, 0.0]]), torch.ones(1, 4, dtype=torch.bool)
    pulled = []
    for row in ([[4.0, 3.9, 2.0, 1.0]], [[1.0, 4.0, 2.0, 0.9]]):
        retrieval = torch.tensor(row, requires_grad=True)
        other = 1 if row[0][0] > row[0][1] else 3
        pulled.append(gradient(cldrd_loss(retrieval, labels, mask), retrieval)[0, other].item())
    # |1/1 - 1/2| and |1/3 - 1/4|, each by the same slope at a lead of 0.1
    assert pulled[0] / pulled[1] == pytest.approx((1 / 2) / (1 / 12), rel=1e-4)


def test_it_is_a_mean_over_the_pairs_of_an_example() -> None:
    """Other examples with more pairs change nothing, nor does padding."""
    retrieval, labels = torch.tensor([[0.3, 0.1]]), torch.tensor([[1.0, 0.0]])
    alone = cldrd_loss(retrieval, labels, torch.ones(1, 2, dtype=torch.bool))
    wide = torch.cat([torch.tensor([[0.3, 0.1, 9.0, 9.0]]), torch.arange(4.0)[None]])
    mask = torch.tensor([[True, True, False, False], [True] * 4])
    together = cldrd_loss(wide, torch.cat([torch.tensor([[1.0, 0.0, -0.5, -0.5]]), torch.arange(4.0)[None]]), mask)
    assert together[0].item() == pytest.approx(alone.item())


def test_negative_labels_are_no_padding() -> None:
    """The label -1 of a group marks padding in public code; here the mask does, and -1 is a label."""
    retrieval, mask = torch.tensor([[0.3, 0.1]]), torch.ones(1, 2, dtype=torch.bool)
    assert cldrd_loss(retrieval, torch.tensor([[-0.25, -1.0]]), mask).item() > 0
    assert cldrd_loss(retrieval, torch.tensor([[-0.25, -0.25]]), mask).item() == 0


def test_ties_have_different_ranks_and_so_a_gradient() -> None:
    """At the start all scores may be equal: equal ranks would give every pair the weight 0."""
    retrieval = torch.zeros(1, 3, requires_grad=True)
    loss = cldrd_loss(retrieval, torch.tensor([[0.0, 1.0, 0.0]]), torch.ones(1, 3, dtype=torch.bool))
    assert gradient(loss, retrieval)[0, 1].item() < 0


def test_bad_input_is_refused() -> None:
    pair = torch.ones(1, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="temperature is 0"):
        Cldrd(0)
    with pytest.raises(ValueError, match="needs ITEM_UTILITY"):
        Cldrd()(Responses.of_scores(torch.zeros(1, 2), pair), Credit())
    with pytest.raises(ValueError, match="retrieval scores must be finite"):
        Cldrd()(Responses.of_scores(torch.tensor([[0.0, torch.nan]]), pair), Credit(item_utility=torch.zeros(1, 2)))
    many = repeated(torch.zeros(1, 2), 2)
    assert cldrd_loss(many, many, torch.zeros(1, 4, dtype=torch.bool)).item() == 0
