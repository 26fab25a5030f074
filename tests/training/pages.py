"""A collection in memory whose items can be found by page."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from reml.contract.examples import Item, Span
from reml.contract.vectors import Int64Array
from reml.testing import MemoryCollection


class Paged(MemoryCollection):
    """Pages of two items each: rows 2 n and 2 n + 1 are paragraphs 1 and 2 of page n."""

    def by_page(self, page_id: str) -> list[Item]:
        """Give the items of a page."""
        return self.get(np.array([2 * int(page_id), 2 * int(page_id) + 1], dtype=np.int64))

    def get(self, rows: Int64Array) -> list[Item]:
        """Give items as parts of their pages."""
        return [
            replace(item, page_id=str(item.row // 2), span=Span(1 + item.row % 2, 0, 1 + item.row % 2, 9))
            for item in super().get(rows)
        ]
