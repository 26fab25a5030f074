"""Which country belongs to which split, and which of all possible examples a split holds.

Countries are split by a digest of their page id, about 60 / 20 / 20, so that a country of dev or test is the subject of
no training example of any task. All choices are by digest: the same in every process, on every machine.
"""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar, get_args

from reml.contract.examples import Example
from reml.files.atomic import digest
from reml.tasks.factbook.pages import FactbookPage, factbook_pages

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
# Pages about no single country.
_NO_SUBJECTS = frozenset({"ee", "xx"})
_Choice = TypeVar("_Choice")


@functools.cache
def split_of(page_id: str) -> Split:
    """Give the split whose examples have this page as their subject."""
    place = _number("split", page_id) % 100
    return "train" if place < 60 else "dev" if place < 80 else "test"


def subjects(split: Split) -> list[FactbookPage]:
    """Give the pages of the countries of a split, in the order of their ids."""
    pages = factbook_pages().items()
    return [page for page_id, page in pages if page_id not in _NO_SUBJECTS and split_of(page_id) == split]


def sample(examples: Iterable[Example], size: int) -> list[Example]:
    """Choose `size` examples, or all there are, in an order that mixes countries and relations."""
    return heapq.nsmallest(size, examples, key=lambda example: digest(example.id))


def in_order(ids: Iterable[str]) -> list[str]:
    """Sort the ids of examples as `sample` sorts the examples."""
    return sorted(ids, key=digest)


def choose(choices: Sequence[_Choice], *key: str) -> _Choice:
    """Choose one by the digest of a key."""
    return choices[_number(*key) % len(choices)]


def _number(*key: str) -> int:
    return int(digest(*key), 16)
