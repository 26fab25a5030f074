"""Texts that are read in order as a collection."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from reml.benchmarks.speed.workloads.workload import Workload
from reml.contract.examples import Item, Span
from reml.contract.vectors import Int64Array
from reml.files.atomic import digest


@dataclass(frozen=True, slots=True)
class TextCollection:
    """Each of `count` texts is an item; there is no title. texts: gives them, each time anew. fingerprint: a digest."""

    fingerprint: str
    count: int
    texts: Callable[[], Iterator[str]]

    @classmethod
    def of(cls, workload: Workload) -> Self:
        """Give the texts of a workload."""
        return cls(digest("speed", workload.corpus, workload.rows), workload.rows, workload.texts)

    @property
    def version(self) -> int:
        """Always 1: it does not change."""
        return 1

    def __len__(self) -> int:
        return self.count

    def rows(self) -> Int64Array:
        """All row ids."""
        return np.arange(self.count)

    def get(self, rows: Int64Array) -> list[Item]:
        """Give the items of these rows, in this order."""
        wanted = {int(row) for row in rows}
        found = {row: text for row, text in enumerate(self.texts()) if row in wanted}
        return [_item(int(row), found[int(row)]) for row in rows]

    def batches(self, size: int, start: int = 0) -> Iterator[list[Item]]:
        """Yield the items in order."""
        items = itertools.islice(itertools.starmap(_item, enumerate(self.texts())), start, None)
        while batch := list(itertools.islice(items, size)):
            yield batch

    def values(self, column: str, rows: Int64Array) -> Int64Array:
        """Give the number of each row's page, which is the row; `KeyError` for another column: no texts are held."""
        if column != "page":
            raise KeyError(f"there is no column {column!r}; there is page.")
        return np.maximum(rows, 0)


def _item(row: int, text: str) -> Item:
    return Item(row=row, text=text, title="", page_id=str(row), span=Span(0, 0, 0, len(text)))
