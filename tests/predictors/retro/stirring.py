"""Weights for what begins as the identity, so that there is something to test."""

from __future__ import annotations

import torch
from torch import nn


def stir(module: nn.Module) -> None:
    """Draw the last projections of all attention anew."""
    torch.manual_seed(0)
    for name, parameter in module.named_parameters():
        if name.endswith("attention.out.weight"):
            nn.init.normal_(parameter)
