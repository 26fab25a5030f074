"""Small random problems for the objectives, in float64."""

from __future__ import annotations

import torch
from torch import Tensor

MASK = torch.tensor([[True, True, True, True], [True, True, False, False], [True, False, False, False]])
TARGET_MASK = torch.tensor([[True, True, True], [True, True, False], [True, False, False]])


def scores() -> Tensor:
    """Retrieval scores [3, 4]; what the mask hides is -inf, as a retriever gives it."""
    values = torch.randn(3, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return values.masked_fill(~MASK, -torch.inf).requires_grad_()


def likelihoods() -> Tensor:
    """log p(y | x, item) [3, 4], -inf where hidden."""
    values = -3 * torch.rand(3, 4, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    return values.masked_fill(~MASK, -torch.inf).requires_grad_()


def token_likelihoods() -> Tensor:
    """log p(y_t | x, item) [3, 4, 3], 0 where there is no item or no token."""
    values = -2 * torch.rand(3, 4, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return values.masked_fill(~(MASK[:, :, None] & TARGET_MASK[:, None, :]), 0.0)


def teacher_scores() -> Tensor:
    """A teacher's scores [3, 4], 0 where hidden."""
    values = 2 * torch.randn(3, 4, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    return values.masked_fill(~MASK, 0.0)


def gradient(loss: Tensor, of: Tensor) -> Tensor:
    """Give the gradient of the sum over examples."""
    (value,) = torch.autograd.grad(loss.sum(), of)
    return value


def repeated(values: Tensor, copies: int) -> Tensor:
    """Give every item `copies` times: [B, K] -> [B, copies * K]."""
    return values.repeat(1, copies)
