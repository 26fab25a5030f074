"""From the characters of a gold span to the passages that hold them, so that passages can be learnt and measured.

A place holds what it names: characters, or whole paragraphs where the offsets are negative (KILT could not tell), or
the whole page where it names no paragraph. Paragraph 0 is the title, which stands on every item of its page.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from reml.contract.examples import Example, Item, Provenance
from reml.contract.vectors import Int64Array

Position = tuple[int, float]
_PAGE_START: Position = (-1, 0)
_PAGE_END: Position = (1 << 62, 0)
# Of so many pages it is remembered what their items cover.
_PAGES = 256


@runtime_checkable
class Pages(Protocol):
    """Items by page, as `DiskCollection` has them."""

    def by_page(self, page_id: str) -> list[Item]:
        """Give the items of a page in row order, none if there is no such page."""


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of a page from `start` to `stop`, each a paragraph and a character, the end exclusive."""

    page_id: str
    start: Position
    stop: Position

    @classmethod
    def of(cls, place: Provenance) -> Region:
        """Give the region that a place names."""
        page_id, first = place.wikipedia_id.strip(), place.start_paragraph_id
        last = place.end_paragraph_id if place.end_paragraph_id is not None else first
        if first is None or not last:
            return cls(page_id, _PAGE_START, _PAGE_END)
        start, stop = place.start_character, place.end_character
        return cls(
            page_id,
            (first, max(start, 0) if start is not None else 0),
            (last, stop if stop is not None and stop >= 0 else math.inf),
        )

    @classmethod
    def of_item(cls, item: Item) -> Region:
        """Give the region that an item covers; its whole page where it has no span."""
        span = item.span
        if span is None:
            return cls(item.page_id, _PAGE_START, _PAGE_END)
        start, stop = (span.start_paragraph, span.start_character), (span.end_paragraph, span.end_character)
        return cls(item.page_id, start, stop)

    @property
    def is_page(self) -> bool:
        """Whether it is a whole page."""
        return self.start == _PAGE_START

    def overlaps(self, other: Region) -> bool:
        """Tell whether a character is in both; a page that is not named has none."""
        named = self.page_id != "" and self.page_id == other.page_id
        return named and self.start < other.stop and other.start < self.stop


def holds(item: Item, place: Provenance) -> bool:
    """Tell whether an item holds at least a character of a place."""
    return Region.of_item(item).overlaps(Region.of(place))


def rows_holding(pages: Pages, place: Provenance) -> Int64Array:
    """Give the rows of the items that hold a place, ascending; none if the page or the characters are not there."""
    region = Region.of(place)
    return _holding(_regions(pages, region.page_id), region)


def evidence_rows(pages: Pages, examples: Iterable[Example]) -> list[tuple[tuple[Int64Array, ...], ...]]:
    """Give, for each output of each example and each of its places, the rows that hold it: what retrievers learn from.

    All places of one output are needed together; of the rows of one place, any will do. A page that many examples name
    is read once.
    """
    regions = functools.lru_cache(maxsize=_PAGES)(functools.partial(_regions, pages))

    def rows(place: Provenance) -> Int64Array:
        region = Region.of(place)
        return _holding(regions(region.page_id), region)

    return [tuple(tuple(map(rows, output.provenance)) for output in example.output) for example in examples]


def _regions(pages: Pages, page_id: str) -> list[tuple[int, Region]]:
    return [(item.row, Region.of_item(item)) for item in pages.by_page(page_id)]


def _holding(regions: Sequence[tuple[int, Region]], region: Region) -> Int64Array:
    return np.array([row for row, one in regions if one.overlaps(region)], dtype=np.int64)
