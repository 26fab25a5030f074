from __future__ import annotations

import math

import pytest
import torch

from reml.retrievers.rankers.conformer_kernel.explicit import BatchScale, ExactMatch

TEXTS = [[1, 2, 2, 3], [1, 4], [5], [1, 5, 5, 5, 2]]


def counted() -> ExactMatch:
    match = ExactMatch(7)
    match.count(TEXTS)
    return match.eval()


def test_rarity_and_mean_length_are_those_of_the_texts() -> None:
    match = counted()
    for piece, stands in enumerate([0, 3, 2, 1, 1, 2, 0]):
        expected = max(0, math.log((4 - stands + 0.5) / (stands + 0.5)))
        assert match.idf[piece].item() == pytest.approx(expected, abs=1e-6)
    assert match.length.mean.item() == pytest.approx(12 / 4)
    with pytest.raises(ValueError, match="2 items hold no word piece"):
        ExactMatch(3).count([[], []])


def test_scores_are_those_of_the_equation() -> None:
    match = counted()
    match.frequency.begin(1.5, 10)
    with torch.no_grad():
        match.weight.fill_(0.7)
        match.bias.fill_(-0.2)
    terms = torch.tensor([[3, 2, 0], [5, 5, 1]])
    pieces, mask = torch.tensor([[1, 2, 2, 3, 0], [1, 5, 5, 5, 2]]), torch.tensor([[True] * 4 + [False], [True] * 5])
    found = match(terms, torch.ones(2, 3, dtype=torch.bool), pieces, mask)
    for pair, text in enumerate((TEXTS[0], TEXTS[3])):
        for place, term in enumerate(terms[pair].tolist()):
            count = text.count(term) / 1.5
            damping = max(0, 0.7 * len(text) / 3 - 0.2)
            expected = match.idf[term].item() * count / (count + damping) if count else 0.0
            assert found[pair, place].item() == pytest.approx(expected, abs=1e-4)


def test_a_mean_is_of_all_that_was_seen_in_training() -> None:
    scale, there = BatchScale(), torch.tensor([True, True, False])
    scale(torch.tensor([2.0, 4.0, 100.0]), there)
    scale(torch.tensor([9.0, 100.0, 100.0]), torch.tensor([True, False, False]))
    assert scale.mean.item() == pytest.approx((2 + 4 + 9) / 3)
    scale.eval()
    assert scale(torch.tensor([10.0]), there[:1]).item() == pytest.approx(2, rel=1e-4)
    assert scale.mean.item() == pytest.approx(5)
    assert BatchScale().eval()(torch.tensor([3.0]), there[:1]).item() == pytest.approx(3, rel=1e-4)


def test_what_was_not_counted_is_not_scored() -> None:
    there = torch.ones(1, 1, dtype=torch.bool)
    with pytest.raises(ValueError, match=r"nothing was counted: call `fit\(collection\)`"):
        ExactMatch(3)(torch.tensor([[1]]), there, torch.tensor([[1]]), there)
