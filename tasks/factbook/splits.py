"""Which country belongs to which split.

Countries are split by a digest of their page id, about 60 / 20 / 20, so that a country of dev or test is the subject of
no training example of any task.
"""

from __future__ import annotations

import functools

from reml.tasks.by_digest import Split, percent
from reml.tasks.factbook.pages import FactbookPage, factbook_pages

# Pages about no single country.
_NO_SUBJECTS = frozenset({"ee", "xx"})


@functools.cache
def split_of(page_id: str) -> Split:
    """Give the split whose examples have this page as their subject."""
    place = percent("split", page_id)
    return "train" if place < 60 else "dev" if place < 80 else "test"


def subjects(split: Split) -> list[FactbookPage]:
    """Give the pages of the countries of a split, in the order of their ids."""
    pages = factbook_pages().items()
    return [page for page_id, page in pages if page_id not in _NO_SUBJECTS and split_of(page_id) == split]
