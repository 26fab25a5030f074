"""An encoder in front of another one, which gives vectors with gradient in a way of its own."""

from __future__ import annotations

import abc
from collections.abc import Sequence

from torch import Tensor, nn

from reml.contract.examples import Item, Media
from reml.contract.retrievers import TrainableEncoder
from reml.contract.vectors import Representations, Similarity


class Forwarding(abc.ABC):
    """A `TrainableEncoder` that leaves to another one all but `query_vectors` and `item_vectors`."""

    def __init__(self, encoder: TrainableEncoder) -> None:
        self._encoder = encoder

    @property
    def module(self) -> nn.Module:
        """What is trained and saved."""
        return self._encoder.module

    @property
    def similarity(self) -> Similarity:
        """How a query's representation and an item's are compared."""
        return self._encoder.similarity

    def fingerprint(self) -> str:
        """Digest the encoder behind it."""
        return self._encoder.fingerprint()

    def encode_queries(self, contents: Sequence[str | Media]) -> Representations:
        """Give one representation for each text, in order, without gradient."""
        return self._encoder.encode_queries(contents)

    def encode_items(self, items: Sequence[Item]) -> Representations:
        """Give one representation for each item, in order, without gradient."""
        return self._encoder.encode_items(items)

    @abc.abstractmethod
    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, [B, D]."""

    @abc.abstractmethod
    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Encode with gradient, [N, D]."""
