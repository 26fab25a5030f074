"""Items that all devices need, each encoded on one of them: in-batch negatives without encoding any item twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from torch import Tensor, nn
from torch.nn import functional

from reml.protocols import TrainableEncoder
from reml.training.devices import count, joined_rows, place
from reml.types import Item, Representations


@final
class SharedItems:
    """A `TrainableEncoder` of which every device asks the vectors of the same items at once, in the same order.

    Each encodes its share of them; all receive all, with gradient to the device that encoded them.
    """

    def __init__(self, encoder: TrainableEncoder) -> None:
        self._encoder = encoder

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._encoder.module

    @property
    def fingerprint(self) -> str:
        """The digest of the encoder."""
        return self._encoder.fingerprint

    def encode_queries(self, texts: Sequence[str]) -> Representations:
        """Give one representation for each text, in order, without gradient."""
        return self._encoder.encode_queries(texts)

    def encode_items(self, items: Sequence[Item]) -> Representations:
        """Give one representation for each item, in order, without gradient."""
        return self._encoder.encode_items(items)

    def query_vectors(self, texts: Sequence[str]) -> Tensor:
        """Encode with gradient, [B, D]: the device's own queries."""
        return self._encoder.query_vectors(texts)

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, [N, D]."""
        devices = count()
        if devices == 1 or len(items) < devices:  # a device without a share would not take part in the gradient
            return self._encoder.item_vectors(items)
        vectors = self._encoder.item_vectors(items[place() :: devices])
        missing = -(-len(items) // devices) - len(vectors)
        padded = functional.pad(vectors, (0, 0, 0, missing))
        return joined_rows(padded).flatten(0, 1)[: len(items)]  # [n, devices, D] -> [N, D]
