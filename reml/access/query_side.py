"""An encoder of which only the query side learns: items keep the vectors they have, and so their index.

Training then encodes no item twice, and what was trained is searched in the index that was there before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, final

import torch
from torch import Tensor, nn

from reml.contract.examples import Item, Media
from reml.contract.retrievers import TrainableEncoder
from reml.contract.vectors import Representations, Similarity
from reml.files.atomic import digest

Key = TypeVar("Key")
Value = TypeVar("Value")
# Vectors that are kept in memory, 50 MB of width 384.
KEPT = 2**15


@final
class KeptVectors(Generic[Key, Value]):
    """Vectors by an encoder that does not change, each computed once as long as there is room for it.

    encode: gives one for each of several things, [N, D]. kept: how many are kept in memory.
    """

    def __init__(self, encode: Callable[[Sequence[Value]], Tensor], kept: int = KEPT) -> None:
        self._encode, self._kept = encode, kept
        self._known: dict[Key, Tensor] = {}

    def of(self, keys: Sequence[Key], values: Sequence[Value]) -> Tensor:
        """Give the vectors of values, [N, D]; keys: which of them are the same."""
        wanted = dict(zip(keys, values, strict=True))
        known = {key: self._known[key] for key in wanted if key in self._known}
        new = [key for key in wanted if key not in known]
        if new:
            known.update(zip(new, self._encode([wanted[key] for key in new]), strict=True))
            room = self._kept - len(self._known)
            self._known.update({key: known[key] for key in new[: max(0, room)]})
        return torch.stack([known[key] for key in keys]) if keys else self._encode([])


@final
class FrozenItems:
    """Vectors of the items of one collection by an encoder that does not change."""

    def __init__(self, encoder: TrainableEncoder, kept: int = KEPT) -> None:
        self.encoder = encoder
        self._vectors = KeptVectors[int, Item](self._encoded, kept)

    def vectors(self, items: Sequence[Item]) -> Tensor:
        """Give the vectors of items without gradient or dropout, [N, D]."""
        return self._vectors.of([item.row for item in items], items)

    @torch.no_grad()
    def _encoded(self, items: Sequence[Item]) -> Tensor:
        self.encoder.module.eval()
        return self.encoder.item_vectors(items).float()


@final
class QuerySideEncoder:
    """A `TrainableEncoder`: queries by one encoder, which learns; items by another one of the same space."""

    def __init__(self, queries: TrainableEncoder, items: FrozenItems) -> None:
        if queries.module is items.encoder.module:
            raise ValueError("the encoder of items would learn too: give the query side an encoder of its own.")
        self._queries, self._items = queries, items

    @property
    def module(self) -> nn.Module:
        """What is trained and saved: the encoder of queries."""
        return self._queries.module

    @property
    def similarity(self) -> Similarity:
        """How a query's representation and an item's are compared."""
        return self._queries.similarity

    def fingerprint(self) -> str:
        """Digest both encoders."""
        return digest(self._queries.fingerprint(), self._items.encoder.fingerprint())

    def encode_queries(self, contents: Sequence[str | Media]) -> Representations:
        """Give one representation for each text, in order, without gradient."""
        return self._queries.encode_queries(contents)

    def encode_items(self, items: Sequence[Item]) -> Representations:
        """Give one representation for each item, in order, without gradient."""
        return self._items.encoder.encode_items(items)

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        """Encode with gradient, [B, D]."""
        return self._queries.query_vectors(contents)

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        """Give the vectors that the items have, [N, D], without gradient."""
        return self._items.vectors(items)
