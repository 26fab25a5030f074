from __future__ import annotations

import torch

from reml.predictors.reading.lists import drawn_inputs
from reml.predictors.reading.pairs import Pairs


def _inputs() -> tuple[Pairs, torch.Tensor]:
    """Three items of the first example, a lone question of the second, one item of the third at its second place."""
    owners, positions = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([0, 1, 2, 0, 1])
    ids = torch.arange(10).reshape(5, 2)
    mask = torch.tensor([[True, True], [True, False], [True, True], [True, False], [True, True]])
    inputs = Pairs(ids, ids % 3, mask, owners, positions, torch.tensor([False, False, False, True, False]), 3)
    return inputs, torch.randn(5, 2, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def _drawn() -> torch.Tensor:
    drawn = torch.zeros(3, 2, 3, dtype=torch.float64)
    drawn[0, 0, 2] = drawn[0, 1, 0] = drawn[2, 0, 1] = 1.0  # of the third example there is one item to draw
    return drawn


def test_a_drawn_list_holds_its_items_in_the_order_of_drawing() -> None:
    inputs, states = _inputs()
    found, mixed = drawn_inputs(inputs, states, _drawn())
    assert (found.owners.tolist(), found.positions.tolist()) == ([0, 0, 1, 2], [0, 1, 0, 0])
    assert found.alone.tolist() == [False, False, True, False]
    taken = torch.tensor([2, 0, 3, 4])
    assert torch.equal(found.ids, inputs.ids[taken])
    assert torch.equal(found.parts, inputs.parts[taken])
    assert torch.equal(found.mask, inputs.mask[taken])
    assert torch.equal(mixed, states[taken])


def test_the_gradient_of_a_place_is_what_each_item_there_would_change() -> None:
    inputs, states = _inputs()
    drawn, weight = _drawn().requires_grad_(), torch.randn(4, 2, 4, dtype=torch.float64)
    (drawn_inputs(inputs, states, drawn)[1] * weight).sum().backward()  # type: ignore[no-untyped-call]
    assert drawn.grad is not None
    for place, row in ((0, 0), (1, 1)):
        expected = torch.stack([(states[item] * weight[row]).sum() for item in range(3)])
        torch.testing.assert_close(drawn.grad[0, place], expected)


def test_without_any_item_in_the_batch_there_are_lone_questions() -> None:
    ids = torch.tensor([[5], [6]])
    lone = torch.tensor([True, True])
    inputs = Pairs(ids, ids, ids > 0, torch.tensor([0, 1]), torch.tensor([0, 0]), lone, 2)
    found, mixed = drawn_inputs(inputs, torch.ones(2, 1, 3), torch.zeros(2, 0, 0))
    assert torch.equal(found.ids, ids)
    assert found.alone.all()
    assert torch.equal(mixed, torch.ones(2, 1, 3))
