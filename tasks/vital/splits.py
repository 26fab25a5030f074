"""Which page belongs to which split, the same for all tasks.

Half of the pages are asked for in training, a quarter in dev and test each, by a digest of the title. An example whose
answer comes from pages of two splits belongs to none.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

from reml.tasks.by_digest import Split, percent


@functools.cache
def split_of(title: str) -> Split:
    """Give the split whose examples have this page as their evidence."""
    place = percent("vital", title)
    return "train" if place < 50 else "dev" if place < 75 else "test"


def common_split(titles: Iterable[str]) -> Split | None:
    """Give the split that all of these pages belong to, `None` where they are of two."""
    splits = {split_of(title) for title in titles}
    return splits.pop() if len(splits) == 1 else None
