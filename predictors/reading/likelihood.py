"""Likelihoods that were computed for each input, laid out as a `Prediction` has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from reml.contract.signals import Credit, Signal


def with_likelihood(
    credit: Credit,
    alone: Tensor,
    *,
    target_mask: Tensor,
    spread: Callable[[Tensor, float], Tensor],
    signals: Signal,
) -> Credit:
    """Add what `signals` asks of the log-likelihoods of target tokens given each item alone, [P, T], 0 past the end.

    `spread` lays values of the P items, [P, ...], out over [B, K, ...], with a value where there is no item.
    """
    if Signal.ITEM_LIKELIHOOD in signals:
        credit = replace(credit, item_log_likelihood=spread(alone.sum(1), -torch.inf))
    if Signal.TOKEN_LIKELIHOOD in signals:
        token = spread(alone, 0.0)
        credit = replace(credit, token_log_likelihood=token, target_mask=target_mask)
    return credit
