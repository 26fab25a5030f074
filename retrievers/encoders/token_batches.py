"""Batches of token ids of like length, so that little is padded, and results put back in the order of the texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class TokenBatch:
    """Token ids [B, L], padded, and a mask [B, L] that is true on tokens."""

    ids: Tensor
    mask: Tensor

    def __len__(self) -> int:
        return len(self.ids)


def longest_first(ids: Sequence[Sequence[int]]) -> list[int]:
    """Give the places of texts by their number of tokens, the most first."""
    return sorted(range(len(ids)), key=lambda place: len(ids[place]), reverse=True)


def token_batches(ids: Sequence[Sequence[int]], size: int, *, padding: int, device: torch.device) -> list[TokenBatch]:
    """Put texts into batches of at most `size`, in their order."""
    return [_padded(ids[start : start + size], padding, device) for start in range(0, len(ids), size)]


def _padded(ids: Sequence[Sequence[int]], padding: int, device: torch.device) -> TokenBatch:
    lengths = torch.tensor([len(text) for text in ids])
    mask = torch.arange(max(1, int(lengths.max()))) < lengths[:, None]  # [B, L]; no network takes a length of 0
    padded = torch.full(mask.shape, padding)
    padded[mask] = torch.tensor(list(chain.from_iterable(ids)), dtype=torch.long)
    return TokenBatch(padded.to(device), mask.to(device))
