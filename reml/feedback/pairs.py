"""What objectives on pairs of items share: differences, which pairs are ordered, and the ranks of scores."""

from __future__ import annotations

import torch
from torch import Tensor


def differences(values: Tensor, mask: Tensor) -> Tensor:
    """Give v_i - v_j, [B, K] -> [B, K, K], in float32 at least; 0 takes the place of what is masked."""
    shown = values.to(torch.promote_types(values.dtype, torch.float32)).masked_fill(~mask, 0.0)
    return shown[:, :, None] - shown[:, None, :]


def ordered(utility: Tensor, mask: Tensor) -> Tensor:
    """Tell for which pairs [B, K, K] the first item is the better one, u_i > u_j."""
    return (utility[:, :, None] > utility[:, None, :]) & mask[:, :, None] & mask[:, None, :]


def mean_of_pairs(losses: Tensor, pairs: Tensor) -> Tensor:
    """Average the losses of pairs [B, K, K] by example, [B]; 0 where there is no pair."""
    return losses.masked_fill(~pairs, 0.0).sum(dim=(1, 2)) / pairs.sum(dim=(1, 2)).clamp(min=1)


def ranks(scores: Tensor, mask: Tensor) -> Tensor:
    """Give the place of each item among its example's by score, from 1, ties as they come, [B, K]; no gradient."""
    order = scores.detach().masked_fill(~mask, -torch.inf).argsort(dim=1, descending=True, stable=True)
    return order.argsort(dim=1) + 1
