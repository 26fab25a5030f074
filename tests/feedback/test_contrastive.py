from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, InBatch, Signal
from reml.feedback.contrastive import Contrastive, contrastive_loss
from reml.testing import FeedbackContract
from tests.feedback.finite_differences import Row, Rows, difference_gradient
from tests.feedback.problems import MASK, gradient, scores

TEMPERATURE = 0.7
RELEVANT = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]]).double()


class TestContract(FeedbackContract):
    def make(self) -> Feedback:
        return Contrastive()


class TestContractWithoutOthers(FeedbackContract):
    def make(self) -> Feedback:
        return Contrastive(in_batch=False)


def others() -> InBatch:
    """Five items of other examples; the second is hidden from the first example, and the third relevant to it."""
    values = torch.randn(3, 5, generator=torch.Generator().manual_seed(6), dtype=torch.float64).requires_grad_()
    mask, utility = torch.ones(3, 5, dtype=torch.bool), torch.zeros(3, 5, dtype=torch.float64)
    mask[0, 1], utility[0, 2] = False, 1.0
    return InBatch(values, mask, utility)


def brute_force(retrieval: Rows, further: Rows | None = None) -> float:
    return sum(_one(b, row, further[b] if further else []) for b, row in enumerate(retrieval))


def _one(example: int, row: Row, further: Row) -> float:
    there, relevant = MASK[example].tolist(), RELEVANT[example].tolist()
    powers = [math.exp(s / TEMPERATURE) if keep else 0.0 for s, keep in zip(row, there, strict=True)]
    negative = sum(power for power, good in zip(powers, relevant, strict=True) if not good)
    hidden = {1, 2} if example == 0 else set()
    negative += sum(math.exp(s / TEMPERATURE) for place, s in enumerate(further) if place not in hidden)
    positives = [power for power, good in zip(powers, relevant, strict=True) if good]
    return -sum(math.log(power / (power + negative)) for power in positives) / len(positives)


def test_value_and_gradient_equal_brute_force() -> None:
    retrieval, prediction = scores(), Credit(item_utility=RELEVANT)
    loss = Contrastive(TEMPERATURE, in_batch=False)(Responses.of_scores(retrieval, MASK), prediction)
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist()), abs=1e-12)
    expected = difference_gradient(brute_force, retrieval.detach())
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor(expected).double(), atol=1e-8, rtol=1e-6)


def test_with_the_items_of_other_examples_too() -> None:
    retrieval, further = scores(), others()
    credit = Credit(item_utility=RELEVANT)
    loss = Contrastive(TEMPERATURE)(Responses.of_scores(retrieval, MASK), credit, further)
    table: Rows = further.scores.tolist()
    assert loss.sum().item() == pytest.approx(brute_force(retrieval.tolist(), table), abs=1e-12)
    for variable, by in (
        (retrieval, lambda moved: brute_force(moved, table)),
        (further.scores, lambda moved: brute_force(retrieval.tolist(), moved)),
    ):
        expected = torch.tensor(difference_gradient(by, variable.detach()), dtype=torch.float64)
        (actual,) = torch.autograd.grad(loss.sum(), variable, retain_graph=True)
        torch.testing.assert_close(actual, expected, atol=1e-8, rtol=1e-6)


def test_an_item_of_another_example_that_is_relevant_here_is_no_negative() -> None:
    further = others()
    credit = Credit(item_utility=RELEVANT)
    pushed = gradient(Contrastive()(Responses.of_scores(scores(), MASK), credit, further), further.scores)
    assert pushed[0, 1] == pushed[0, 2] == 0
    assert (pushed[0, [0, 3, 4]] > 0).all()
    assert (pushed[1:] > 0).all()


def test_by_hand_with_one_relevant_item() -> None:
    # e^s = 3, 1, 2 -> -log 3/6
    values = torch.tensor([[3.0, 1.0, 2.0]]).log()
    loss = contrastive_loss(values, torch.tensor([[True, False, False]]), torch.ones(1, 3, dtype=torch.bool))
    assert loss.item() == pytest.approx(math.log(2.0))


def test_relevant_items_do_not_push_each_other() -> None:
    relevant = torch.tensor([[True, True, False]])
    mask = torch.ones(1, 3, dtype=torch.bool)
    retrieval = torch.tensor([[5.0, 0.0, -3.0]], requires_grad=True)
    assert (gradient(contrastive_loss(retrieval, relevant, mask), retrieval)[0, :2] < 0).all()


@pytest.mark.parametrize("relevant", [[False, False, False], [True, True, True]])
def test_without_a_relevant_item_or_a_negative_nothing_is_learnt(relevant: list[bool]) -> None:
    retrieval = torch.tensor([[1.0, 0.5, -0.5]], requires_grad=True)
    loss = contrastive_loss(retrieval, torch.tensor([relevant]), torch.ones(1, 3, dtype=torch.bool))
    assert loss.tolist() == [0.0]
    assert gradient(loss, retrieval).tolist() == [[0.0, 0.0, 0.0]]


def test_one_item_gives_no_gradient() -> None:
    retrieval = scores()
    loss = Contrastive(in_batch=False)(Responses.of_scores(retrieval, MASK), Credit(item_utility=RELEVANT))
    assert gradient(loss, retrieval)[2].tolist() == [0.0] * 4


def test_large_scores_stay_finite() -> None:
    retrieval = torch.tensor([[-3e4, 3e4]], requires_grad=True)
    loss = contrastive_loss(retrieval, torch.tensor([[True, False]]), torch.ones(1, 2, dtype=torch.bool))
    assert loss.item() == pytest.approx(6e4)
    torch.testing.assert_close(gradient(loss, retrieval), torch.tensor([[-1.0, 1.0]]))


def test_each_relevant_item_pulls_with_the_same_total_however_many_items_there_are() -> None:
    """The gradients of an example sum to zero and those of its relevant items lie in [-1, 0]: not divided by K."""
    for width in (4, 64):
        retrieval = torch.zeros(1, width, requires_grad=True)
        relevant = torch.arange(width)[None] < 1
        pushed = gradient(contrastive_loss(retrieval, relevant, torch.ones(1, width, dtype=torch.bool)), retrieval)
        assert pushed[0, 0].item() == pytest.approx(1 / width - 1)
        assert pushed.sum().item() == pytest.approx(0.0, abs=1e-6)


def test_needs_and_bad_input() -> None:
    assert Contrastive().needs == Signal.ITEM_UTILITY | Signal.IN_BATCH
    assert Contrastive(in_batch=False).needs == Signal.ITEM_UTILITY
    with pytest.raises(ValueError, match="needs IN_BATCH"):
        Contrastive()(Responses.of_scores(scores(), MASK), Credit(item_utility=RELEVANT))
    with pytest.raises(ValueError, match="item utilities must be finite"):
        Contrastive()(Responses.of_scores(scores(), MASK), Credit(item_utility=RELEVANT * math.nan))
    wrong = InBatch(torch.full((3, 1), math.nan), torch.ones(3, 1, dtype=torch.bool), torch.zeros(3, 1))
    with pytest.raises(ValueError, match="retrieval scores must be finite"):
        Contrastive()(Responses.of_scores(scores(), MASK), Credit(item_utility=RELEVANT), wrong)
    with pytest.raises(ValueError, match="must be positive"):
        Contrastive(0.0)


def test_the_judge_gets_no_gradient() -> None:
    utility: Tensor = RELEVANT.clone().requires_grad_()
    loss = Contrastive(in_batch=False)(Responses.of_scores(scores(), MASK), Credit(item_utility=utility))
    assert torch.autograd.grad(loss.sum(), utility, allow_unused=True)[0] is None


def test_without_a_threshold_only_the_most_useful_item_is_relevant() -> None:
    """Scores ln 2, ln 3 and ln 4 with utilities 5, 9 and 7, and a hidden item: -ln(3 / (3 + 2 + 4))."""
    values = torch.tensor([[2.0, 3.0, 4.0, 50.0]]).log()
    mask, utility = torch.tensor([[True, True, True, False]]), torch.tensor([[5.0, 9.0, 7.0, 99.0]])
    prediction = Credit(item_utility=utility)
    loss = Contrastive(in_batch=False, relevant_from=None)(Responses.of_scores(values, mask), prediction)
    assert loss.item() == pytest.approx(math.log(3))
    others = InBatch(torch.tensor([[3.0, 7.0, 90.0]]).log(), torch.tensor([[True, True, False]]), torch.zeros(1, 3))
    assert Contrastive(relevant_from=None)(
        Responses.of_scores(values, mask), prediction, others
    ).item() == pytest.approx(math.log(19 / 3))
