"""Where the pairs of a batch stand: each is one example with one of its items, or with none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """P pairs: pair p is about position `positions[p]` of example `owners[p]`, both int64 [P], in ascending order.

    An example with no item has one pair, at position 0, where `alone` [P] is true.
    """

    owners: Tensor
    positions: Tensor
    alone: Tensor
    examples: int

    @classmethod
    def of(cls, items: Sequence[Mapping[int, object]]) -> Places:
        """Make a pair of each example's items, by position."""
        keys = [(owner, place) for owner, given in enumerate(items) for place in (given or (0,))]
        return cls(
            owners=torch.tensor([owner for owner, _ in keys]),
            positions=torch.tensor([place for _, place in keys]),
            alone=torch.tensor([not items[owner] for owner, _ in keys]),
            examples=len(items),
        )

    def __len__(self) -> int:
        return len(self.owners)

    def by_position(self, k: int, values: Tensor, fill: float) -> Tensor:
        """Spread what was found for the pairs [P, ...] over [B, k, ...]; `fill` where there is no item."""
        real = ~self.alone
        laid = values.new_full((self.examples, k, *values.shape[1:]), fill)
        return laid.index_put((self.owners[real], self.positions[real]), values[real])

    def log_sums(self, values: Tensor) -> Tensor:
        """Sum in log space what belongs to one example, [P, ...] -> [B, ...]; a pair without an item counts too."""
        width = int(self.positions.max()) + 1
        laid = values.new_full((self.examples, width, *values.shape[1:]), -torch.inf)
        return laid.index_put((self.owners, self.positions), values).logsumexp(dim=1)

    def to(self, device: torch.device) -> Places:
        """Move to a device."""
        return Places(self.owners.to(device), self.positions.to(device), self.alone.to(device), self.examples)
