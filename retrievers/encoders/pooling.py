"""From the states of a text's tokens to one vector, in every way that sentence-transformers names.

The weighted mean gives token i the weight i, from 1 on (Muennighoff 2022, https://arxiv.org/abs/2202.08904); tokens
that are not pooled, as those of a prompt may be, keep their places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor


def mean_of_tokens(states: Tensor, mask: Tensor) -> Tensor:
    """Average the states [B, L, D] where the mask [B, L] is true, [B, D]."""
    weights = mask.unsqueeze(-1).to(states.dtype)  # [B, L] -> [B, L, 1]
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def _first(states: Tensor, mask: Tensor) -> Tensor:
    return states[torch.arange(len(states), device=states.device), mask.int().argmax(dim=1)]


def _last(states: Tensor, mask: Tensor) -> Tensor:
    last = mask.shape[1] - 1 - mask.flip(1).int().argmax(dim=1)
    return states[torch.arange(len(states), device=states.device), last]


def _largest(states: Tensor, mask: Tensor) -> Tensor:
    there = mask.any(dim=1)[:, None]  # a text without tokens has zeros
    return torch.where(there, states.masked_fill(~mask[:, :, None], -torch.inf).amax(dim=1), 0.0)


def _mean_by_root(states: Tensor, mask: Tensor) -> Tensor:
    weights = mask.unsqueeze(-1).to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1).sqrt()


def _weighted_mean(states: Tensor, mask: Tensor) -> Tensor:
    places = torch.arange(1, mask.shape[1] + 1, device=states.device)
    weights = (places * mask)[:, :, None].to(states.dtype)
    return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


POOLINGS: Final[dict[str, Callable[[Tensor, Tensor], Tensor]]] = {
    "mean": mean_of_tokens,
    "cls": _first,
    "max": _largest,
    "mean_sqrt_len": _mean_by_root,
    "weightedmean": _weighted_mean,
    "lasttoken": _last,
}


def pooled(states: Tensor, mask: Tensor, pooling: str) -> Tensor:
    """Pool the states [B, L, D] where the mask [B, L] is true, [B, D]; several ways, joined by +, side by side."""
    ways = [POOLINGS[way](states, mask) for way in pooling.split("+")]
    return torch.cat(ways, dim=1)  # n of [B, D] -> [B, n * D]


def check_pooling(pooling: str) -> None:
    """Raise `ValueError` for a way that there is not, with those there are."""
    for way in pooling.split("+"):
        if way not in POOLINGS:
            raise ValueError(
                f"there is no pooling {way!r}: choose one of {', '.join(POOLINGS)}, or several joined by +, cls+mean."
            )
