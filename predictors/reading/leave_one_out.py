"""Likelihoods without each item: the inputs are encoded once, and the decoder reads all of them but one (Atlas' LOOP).

Izacard et al., "Atlas: Few-shot Learning with Retrieval Augmented Language Models", JMLR 2023, section 2.2,
https://arxiv.org/abs/2208.03299.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from reml.predictors.reading.pairs import Pairs


@torch.no_grad()
def without_each(
    inputs: Pairs, k: int, *, seen: Callable[[Tensor], Tensor], closed_book: Callable[[Tensor], Tensor]
) -> Tensor:
    """Give log p(y | x, all items but this one), [B, k], without gradient; -inf where there is no item.

    seen: log p(y | x, ...) of the B answers where the decoder reads what a mask [B, K*L] shows. closed_book: the same
    without any item, of the examples at n positions: what is left of an example that has one item.
    """
    there = inputs.by_position(k, (~inputs.alone).float(), 0.0).bool()
    shown = inputs.gather(inputs.mask).reshape(inputs.examples, -1, inputs.ids.shape[1])  # [B, K*L] -> [B, K, L]
    lone = there.sum(1) == 1
    found = torch.full(there.shape, -torch.inf, device=there.device)
    for place in range(min(k, shown.shape[1])):
        left = shown.clone()
        left[~lone, place] = False  # a decoder that sees nothing divides by zero; what it says of these is not kept
        found[:, place] = torch.where(there[:, place], seen(left.flatten(1)), -torch.inf)
    positions = lone.nonzero().squeeze(1)
    if len(positions):
        unread = closed_book(positions)[:, None].expand(-1, k)
        found[positions] = unread.masked_fill(~there[positions], -torch.inf)
    return found
