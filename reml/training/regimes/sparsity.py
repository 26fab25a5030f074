"""Keeping sparse vectors sparse while they are learnt: two regularisers, and numbers that say what an index will cost.

L1, as SNRM has it (Zamani et al., CIKM 2018, equation 8): the sum of all weights of a query and its items.
FLOPS, as SPLADE has it (Paria et al., ICLR 2020, https://arxiv.org/abs/2004.05665; Formal et al., 2021,
https://arxiv.org/abs/2109.10086, equation 4): the sum over dimensions of the square of their mean weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, final

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce

from reml.contract.arguments.checked import checked

# Batches that the running shares remember, and after which a dimension that no item had counts as dead.
MEMORY = 100
# Batches in a row without any weight after which training is stopped: no gradient leads out of all zeros.
SILENCE = 20


class Regulariser(Protocol):
    """A loss on the vectors themselves."""

    @property
    def name(self) -> str:
        """What its part of the loss is logged as."""

    def loss(self, queries: Tensor, items: Tensor, own: Tensor) -> Tensor:
        """Give the loss of each example, [B], from queries [B, V], distinct items [N, V] and whose they are [B, N]."""


@checked()
@dataclass(frozen=True)
class L1:
    """The sum of the weights of each query and of its own items, times `weight`."""

    weight: float

    def __post_init__(self) -> None:
        _check(self.weight, "weight")

    @property
    def name(self) -> str:
        """What its part of the loss is logged as."""
        return "l1"

    def loss(self, queries: Tensor, items: Tensor, own: Tensor) -> Tensor:
        """Give the loss of each example, [B]."""
        sums = items.abs().sum(dim=1)
        return self.weight * (queries.abs().sum(dim=1) + own.to(sums) @ sums)


@checked()
@dataclass(frozen=True)
class Flops:
    """The expected cost of scoring one item: over dimensions, the square of the mean weight, of queries and of items.

    query_weight, item_weight: of the two parts. The mean is over all vectors that are computed at once, those of other
    devices included, so that the loss does not depend on how many devices share a batch.
    """

    query_weight: float
    item_weight: float

    def __post_init__(self) -> None:
        _check(self.query_weight, "query_weight")
        _check(self.item_weight, "item_weight")

    @property
    def name(self) -> str:
        """What its part of the loss is logged as."""
        return "flops"

    def loss(self, queries: Tensor, items: Tensor, own: Tensor) -> Tensor:  # noqa: ARG002
        """Give the loss, the same for each example, [B]."""
        loss = self.query_weight * flops(queries) + self.item_weight * flops(items)
        return loss.expand(len(queries))


def flops(vectors: Tensor) -> Tensor:
    """Compute sum_j (mean_i |w_ij|)^2 of vectors [n, V] and of those that the other devices compute now."""
    sums, count = vectors.abs().sum(dim=0), torch.tensor(float(len(vectors)), device=vectors.device)
    if distributed.is_available() and distributed.is_initialized():
        # Its gradient is summed over devices, and averaged again by DDP: that of the loss on one device.
        sums = all_reduce(sums)  # type: ignore[no-untyped-call]
        distributed.all_reduce(count)
    return (sums / count).square().sum()


@final
class SparsityWatch(nn.Module):
    """Follows what training does to an inverted index of `size` items; its state is saved with the run's.

    query_share, item_share: how many of the queries and items of late have each dimension, [V].
    """

    query_share: Tensor
    item_share: Tensor
    last_seen: Tensor
    batches: Tensor
    silent: Tensor

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self._size = size
        for name in ("query_share", "item_share", "last_seen"):
            self.register_buffer(name, torch.zeros(width))
        for name in ("batches", "silent"):
            self.register_buffer(name, torch.zeros((), dtype=torch.int64))

    @torch.no_grad()
    def forward(self, queries: Tensor, items: Tensor) -> Mapping[str, Tensor]:
        """Take in a batch of queries [B, V] and items [N, V]; give the numbers to log.

        query_nonzeros, item_nonzeros: dimensions of a vector in this batch. dead_dimensions: share of those that no
        item of the last 100 batches has. posting_skew: Gini coefficient of the lengths of posting lists, 0 if all are
        equal, 1 if one has all. expected_postings: that a query touches in the whole collection. `ValueError` once all
        queries or all items are zero for 20 batches.
        """
        asked, held = queries > 0, items > 0
        self.batches += 1
        rate = (1 / self.batches).clamp(min=1 / MEMORY)
        self.query_share.lerp_(asked.float().mean(dim=0), rate)
        self.item_share.lerp_(held.float().mean(dim=0), rate)
        self.last_seen[held.any(dim=0)] = self.batches.float()
        self._listen(asked, held)
        return {
            "query_nonzeros": asked.sum(dim=1).float().mean(),
            "item_nonzeros": held.sum(dim=1).float().mean(),
            "dead_dimensions": (self.batches - self.last_seen >= MEMORY).float().mean(),
            "posting_skew": gini(self.item_share),
            "expected_postings": self._size * (self.query_share @ self.item_share),
        }

    def _listen(self, asked: Tensor, held: Tensor) -> None:
        heard = asked.any() & held.any()
        self.silent.copy_(torch.where(heard, 0, self.silent + 1))
        if int(self.silent) >= SILENCE:
            what = "query" if not bool(asked.any()) else "item"
            raise ValueError(
                f"every {what} vector of the last {SILENCE} batches is zero, and no gradient leads out of that: the "
                "regularisers are too heavy, the rate is too high, or the texts have no known word. Lower the weight "
                "of L1 or FLOPS by a factor of 10, or the rate."
            )


def gini(values: Tensor) -> Tensor:
    """Compute the Gini coefficient of values >= 0, [n]: 0 if all are equal (or zero), (n - 1) / n if one has all."""
    ranks = torch.arange(1, len(values) + 1, device=values.device, dtype=values.dtype)
    total = values.sum()
    coefficient = 2 * (ranks @ values.sort().values) / (len(values) * total) - (len(values) + 1) / len(values)
    return torch.where(total > 0, coefficient, torch.zeros_like(total))


def _check(weight: float, name: str) -> None:
    if not 0 <= weight < math.inf:
        raise ValueError(f"{name} is the weight of a regulariser, 0 or more, not {weight}.")
