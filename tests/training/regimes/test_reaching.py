from __future__ import annotations

import torch

from reml.training.regimes.reaching import reaches


def test_a_loss_reaches_what_it_is_made_of_and_nothing_else() -> None:
    leaf, other = torch.ones(3, requires_grad=True), torch.ones(3, requires_grad=True)
    made = leaf * 2
    loss = made.softmax(0).log().sum() + 3
    assert reaches(loss, leaf)
    assert reaches(loss, made)
    assert reaches(made, made)
    assert not reaches(loss, other)
    assert not reaches(loss, leaf * 2)
    assert not reaches(made.detach().sum() + other.sum(), leaf)
    assert not reaches(torch.ones(3), leaf)
