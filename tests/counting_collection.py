"""A collection that counts what is fetched of it and what of it is held."""

from __future__ import annotations

import gc
from collections.abc import Sequence

import numpy as np

from reml.contract.examples import Item, Provenance
from reml.contract.retrieved import Hits
from reml.contract.vectors import Int64Array
from reml.testing import MemoryCollection


class CountingCollection(MemoryCollection):
    """Makes its items anew each time; `fetched` counts them, `held` is how many there were at once, places included."""

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__(texts)
        self.fetched = self.held = 0
        self._before = _alive()

    def get(self, rows: Int64Array) -> list[Item]:
        items = [Item(item.row, item.text, item.title, item.page_id, item.span) for item in super().get(rows)]
        self.fetched += len(items)
        self.held = max(self.held, _alive() - self._before)
        return items


def _alive() -> int:
    return sum(type(one) in (Item, Provenance) for one in gc.get_objects())


def many_hits(examples: int, depth: int, items: int) -> Hits:
    """Make hits of random rows, some examples with fewer."""
    generator = np.random.default_rng(0)
    rows = np.stack([generator.permutation(items)[:depth] for _ in range(examples)]).astype(np.int64)
    rows[np.arange(depth) >= generator.integers(depth // 2, depth + 1, size=(examples, 1))] = -1
    scores = -np.arange(depth, dtype=np.float32)[None] / 8
    return Hits(rows, np.where(rows >= 0, scores, -np.inf).astype(np.float32))
