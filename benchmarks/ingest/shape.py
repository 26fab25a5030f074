"""How long the pages of KILT's knowledge source are, drawn at random.

Published of the whole source: 5,903,530 pages in 37,318,876,722 bytes, 6,321 a page (KILT's README, the file itself);
111,789,997 entries of `text`, 18.9 a page (a count that users of the file report); and, lists left out, 22,220,793
passages of 100 words, 3.76 a page (Petroni et al., 2021, https://aclanthology.org/2021.naacl-main.200, appendix).

Fitted to Wikipedia's paragraphs in minikilt's `knowledge_source.jsonl.gz`: the logarithms of the words of 41,472
paragraphs have mean 4.16 and deviation 0.72, those of 30,409 titles 0.84 and 0.53; its 532 pages of 8 entries or more
have 0.45 headings a paragraph. It holds parts of pages, so the number of paragraphs comes from what is published: with
deviation 1 of the logarithm (our choice: the longest of 300,000 pages has some 200), 3.76 passages follow from 0.85.
What is then left of 18.9 entries are items of lists, 12.5 a page. How many come at once and how long they are is our
choice; with 16 words each, and links as `reml.benchmarks.ingest.source` has them, a page reaches the published bytes.

`reml` keeps list items, KILT's own passages do not: this source, and so KILT's, gives more than 3.76 passages a page.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from reml.collection.passages import HEADING
from reml.contract.vectors import Int64Array

# Mean and standard deviation of the natural logarithm.
PARAGRAPHS = (0.85, 1.0)
PARAGRAPH_WORDS = (4.16, 0.72)
TITLE_WORDS = (0.84, 0.53)
ITEM_WORDS = (2.53, 0.7)
HEADING_WORDS = (0.6, 0.5)
# Of paragraphs, how many have a heading before them, and how many a list behind them.
HEADED, LISTED = 0.45, 0.25
ITEMS_A_LIST = 12.5
BULLET = "BULLET::::- "


class Entry(NamedTuple):
    """An entry of a page's `text`: how KILT begins it, and so many words."""

    start: str
    words: int


def page_shapes(generator: np.random.Generator, pages: int) -> Iterator[list[Entry]]:
    """Draw the entries of `pages` pages, each page's title first."""
    titles = _entries("", log_normal(generator, TITLE_WORDS, pages))
    paragraphs = log_normal(generator, PARAGRAPHS, pages)
    blocks = _blocks(generator, int(paragraphs.sum()))
    for title, count in zip(titles, paragraphs.tolist(), strict=True):
        yield [title, *(entry for block in islice(blocks, count) for entry in block)]


def log_normal(generator: np.random.Generator, law: tuple[float, float], count: int) -> Int64Array:
    """Draw numbers of 1 or more, their logarithms normal."""
    return np.maximum(1, np.rint(generator.lognormal(*law, count))).astype(np.int64)


def _blocks(generator: np.random.Generator, count: int) -> Iterator[list[Entry]]:
    """Draw paragraphs, each with its heading and its list, if any."""
    paragraphs = _entries("", log_normal(generator, PARAGRAPH_WORDS, count))
    headed = generator.random(count) < HEADED
    headings = _entries(HEADING, log_normal(generator, HEADING_WORDS, int(headed.sum())))
    sizes = (generator.random(count) < LISTED) * generator.geometric(1 / ITEMS_A_LIST, count)
    items = _entries(BULLET, log_normal(generator, ITEM_WORDS, int(sizes.sum())))
    for paragraph, has_heading, size in zip(paragraphs, headed.tolist(), sizes.tolist(), strict=True):
        yield [*islice(headings, int(has_heading)), paragraph, *islice(items, size)]


def _entries(start: str, words: Int64Array) -> Iterator[Entry]:
    return (Entry(start, count) for count in words.tolist())
