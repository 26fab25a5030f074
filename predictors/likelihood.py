"""Likelihoods that were computed for each input, laid out as a `Prediction` has them."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from reml.predictors.pairs import Pairs
from reml.types import Prediction, Signal


def with_likelihood(
    prediction: Prediction, alone: Tensor, target_mask: Tensor, inputs: Pairs, *, k: int, signals: Signal
) -> Prediction:
    """Add what `signals` asks of the log-likelihoods of target tokens given each item alone, [P, T], 0 past the end."""
    if Signal.ITEM_LIKELIHOOD in signals:
        item = inputs.by_place(alone.sum(1), k, -torch.inf)
        prediction = replace(prediction, item_log_likelihood=item)
    if Signal.TOKEN_LIKELIHOOD in signals:
        token = inputs.by_place(alone, k, 0.0)
        prediction = replace(prediction, token_log_likelihood=token, target_mask=target_mask)
    return prediction
