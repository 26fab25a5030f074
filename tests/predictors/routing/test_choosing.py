"""Losses of a choice by hand, and what they lead to where utilities differ from question to question."""

from __future__ import annotations

import math

import pytest
import torch

from reml.predictors.routing.choosing import LOSSES, Objective, listwise, pairwise, pointwise

SCORES, UTILITY = torch.tensor([[0.0, 1.0, -1.0]]), torch.tensor([[1.0, 0.0, 0.5]])


def test_losses_by_hand() -> None:
    by_hand = sum(gain * math.log1p(math.exp(behind)) for gain, behind in ((1.0, 1.0), (0.5, -1.0), (0.5, 2.0)))
    assert pairwise(SCORES, UTILITY).tolist() == pytest.approx([by_hand])
    assert pointwise(SCORES, UTILITY).tolist() == pytest.approx([1 + 1 + 2.25])
    odds = [math.exp(score) for score in (0.0, 1.0, -1.0)]
    assert listwise(SCORES, UTILITY).tolist() == pytest.approx([-(odds[0] + 0.5 * odds[2]) / sum(odds)])


def test_equal_utilities_teach_no_pair() -> None:
    assert pairwise(SCORES, torch.full((1, 3), 0.7)).tolist() == [0.0]


@pytest.mark.parametrize("objective", LOSSES)
def test_rare_and_large_wins_over_frequent_and_small(objective: Objective) -> None:
    """The first is worth 1 in two of five questions, the second .01 in the others."""
    utility = torch.tensor([[1.0, 0.0]] * 2 + [[0.0, 0.01]] * 3)
    scores = torch.zeros(2, requires_grad=True)
    optimizer = torch.optim.Adam([scores], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        LOSSES[objective](scores.expand(5, 2), utility).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert scores[0] > scores[1]
