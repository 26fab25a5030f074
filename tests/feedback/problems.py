"""Small random problems for the objectives, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

MASK = torch.tensor([[True, True, True, True], [True, True, False, False], [True, False, False, False]])


def scores() -> Tensor:
    """Retrieval scores [3, 4]; what the mask hides is -inf, as a retriever gives it."""
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return values.masked_fill(~MASK, -torch.inf).requires_grad_()


def likelihoods() -> Tensor:
    """log p(y | x, item) [3, 4], -inf where hidden."""
    values = -3 * torch.rand(3, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return values.masked_fill(~MASK, -torch.inf).requires_grad_()


def gradient(loss: Tensor, of: Tensor) -> Tensor:
    """Give the gradient of the sum over examples."""
    (value,) = torch.autograd.grad(loss.sum(), of)
    return value
