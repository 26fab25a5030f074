from __future__ import annotations

from typing import cast

import torch
from hypothesis import given
from hypothesis import strategies as st

from reml.contract.objective import Objective
from reml.contract.predictors import Feedback
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.feedback.pdist import Pdist
from reml.feedback.shuffled import Shuffled, shuffle
from reml.testing import FeedbackContract

SHUFFLED = Shuffled(cast("Objective", Pdist()))


class TestShuffled(FeedbackContract):
    def make(self) -> Feedback:
        return SHUFFLED


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=5), st.integers(0, 99))
def test_items_change_places_among_each_other_and_padding_stays(masks: list[list[bool]], seed: int) -> None:
    torch.manual_seed(seed)
    mask = torch.tensor(masks)
    places = shuffle(mask)
    assert (places.sort(dim=1).values == torch.arange(4)).all()
    assert (mask.gather(1, places) == mask).all()


def test_every_order_comes_up_equally_often() -> None:
    torch.manual_seed(0)
    orders = shuffle(torch.ones(6000, 3, dtype=torch.bool))
    counts = torch.unique(orders, dim=0, return_counts=True)[1]
    assert len(counts) == 6
    assert (counts - 1000).abs().max() < 150


def test_the_objective_hears_the_same_values_of_other_items() -> None:
    """Of two items the one feedback goes to the other half of the times: the mean gradient prefers neither."""
    torch.manual_seed(0)
    scores = torch.zeros(4000, 2, requires_grad=True)
    likelihood = torch.tensor([[0.0, -4.0]]).expand(4000, 2)
    prediction = Credit(item_log_likelihood=likelihood)
    mask = torch.ones(4000, 2, dtype=torch.bool)
    losses = SHUFFLED(Responses.of_scores(scores, mask), prediction)
    torch.testing.assert_close(losses, Pdist()(Responses.of_scores(scores, mask), prediction))
    losses.mean().backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    assert scores.grad.sum(dim=0).abs().max() < 0.02
    assert SHUFFLED.needs == Signal.ITEM_LIKELIHOOD
