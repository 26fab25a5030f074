"""A small collection in memory, for contract tests and your own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reml.collection.passages import count_words
from reml.contract.arguments.several import several
from reml.contract.examples import Item, Span
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest

TEXTS = (
    "The quick brown fox jumps over the lazy dog near the river bank.",
    "Volcanoes erupt when molten rock rises through the crust of the earth.",
    "The parliament elected a new prime minister after a long debate.",
    "Copper and zinc are exported from the harbour to three continents.",
    "Penguins breed on the ice while their partners fish in the cold sea.",
)


class MemoryCollection:
    """A collection in memory, from texts; row ids are 0, 1, 2, ... and each text is a page of its own.

    values: further columns of numbers, [N, ...].
    """

    def __init__(
        self,
        texts: Sequence[str],
        titles: Sequence[str] | None = None,
        *,
        values: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        titles = titles if titles is not None else [f"Page {number}" for number in range(len(texts))]
        self._items = [
            Item(row=row, text=text, title=title, page_id=str(row), span=Span(1, 0, 1, len(text)))
            for row, (text, title) in enumerate(zip(several(texts, "texts"), titles, strict=True))
        ]
        words = np.array([count_words(text) for text in texts], dtype=np.int64)
        self._values = {"page": self.rows(), "words": words, **(values or {})}

    @property
    def fingerprint(self) -> str:
        """A digest of the texts and titles."""
        return digest([[item.title, item.text] for item in self._items])

    @property
    def version(self) -> int:
        """Always 1: it does not change."""
        return 1

    def __len__(self) -> int:
        return len(self._items)

    def rows(self) -> Int64Array:
        """All row ids."""
        return np.arange(len(self._items), dtype=np.int64)

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order."""
        self._check(rows)
        return [self._items[row] for row in rows]

    def values(self, column: str, rows: Int64Array) -> NDArray[Any]:
        """Give numbers beside the items of these rows, 0 for row -1: `page`, `words` and those it was given."""
        if column not in self._values:
            raise KeyError(f"there is no column {column!r}; there are {', '.join(self._values)}.")
        rows = np.asarray(rows, dtype=np.int64)
        self._check(rows[rows != -1])
        kept = self._values[column]
        found = np.zeros((*rows.shape, *kept.shape[1:]), dtype=kept.dtype)
        found[rows != -1] = kept[rows[rows != -1]]
        return found

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield all items from row id `start` on, at most `size` at a time."""
        for first in range(start, len(self._items), size):
            yield self._items[first : first + size]

    def _check(self, rows: Int64Array) -> None:
        wrong = [int(row) for row in rows if not 0 <= row < len(self._items)]
        if wrong:
            raise KeyError(f"rows {wrong[:5]} are not in the collection of {len(self._items)} items.")
