"""Items that all devices need, each encoded on one of them: in-batch negatives without encoding any item twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor
from torch.nn import functional

from reml.contract.examples import Item, Media
from reml.devices.ranks import all_gather_rows, rank, world_size
from reml.training.scale.wrapped_encoder import Forwarding


@final
class SharedItems(Forwarding):
    """A `TrainableEncoder` of which every device asks the vectors of the same items at once, in the same order.

    Each encodes its share of them; all receive all, with gradient to the device that encoded them.
    """

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, [B, D]: the device's own queries."""
        return self._encoder.query_vectors(contents)

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, [N, D]."""
        devices = world_size()
        if devices == 1 or len(items) < devices:  # a device without a share would not take part in the gradient
            return self._encoder.item_vectors(items)
        vectors = self._encoder.item_vectors(items[rank() :: devices])
        missing = -(-len(items) // devices) - len(vectors)
        padded = functional.pad(vectors, (0, 0, 0, missing))
        return all_gather_rows(padded).flatten(0, 1)[: len(items)]  # [n, devices, D] -> [N, D]
