from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.collection.disk import DiskCollection, build_collection
from reml.collection.ranked_pages import ROWS_AT_ONCE, first_of_pages, items_of_examples, page_ids
from reml.contract.collections import Collection
from reml.contract.examples import Page
from reml.contract.retrieved import Hits
from reml.evaluation.trec import rank_pages
from reml.experiment.results import page_rankings
from reml.testing import MemoryCollection
from tests.counting_collection import CountingCollection, many_hits
from tests.memory_pages import MemoryPages
from tests.pageless_collection import Pageless

EXAMPLES, DEPTH, ITEMS = 600, 100, 300


@pytest.fixture
def collection(tmp_path: Path) -> DiskCollection:
    """Items of which several are of one page, in several segments, some of them deleted."""
    pages = [
        Page(f"p{number}", f"T{number}", ("T", " ".join(map(str, range(number % 5 + 1))))) for number in range(100)
    ]
    collection = build_collection(MemoryPages(pages), tmp_path / "c", words=1, segment_rows=50)
    collection.delete(np.arange(0, 300, 7))
    collection.append(pages[:1])
    return collection


def hits_of(collection: Collection) -> Hits:
    places = many_hits(EXAMPLES, DEPTH, len(collection))
    rows = np.where(places.rows >= 0, collection.rows()[places.rows], -1)
    return Hits(rows, places.scores)


def test_pages_are_ranked_as_their_items_are(collection: DiskCollection) -> None:
    hits = hits_of(collection)
    expected = [
        rank_pages([item.page_id for item in collection.get(rows[rows >= 0])], scores.tolist())
        for rows, scores in zip(hits.rows, hits.scores, strict=True)
    ]
    assert list(page_rankings(hits, collection)) == expected
    assert len(expected[0]) < hits.mask[0].sum(), "some pages come twice"


def test_infinite_scores_are_no_hits() -> None:
    collection = MemoryCollection(["a", "b", "c"])
    hits = Hits(np.array([[2, 0, 1]]), np.array([[1.0, -np.inf, -np.inf]], dtype=np.float32))
    assert [[page.page_id for page in pages] for pages in page_rankings(hits, collection)] == [["2"]]
    nothing = Hits(np.empty((2, 0), np.int64), np.empty((2, 0), np.float32))
    assert list(page_rankings(nothing, collection)) == [(), ()]


def test_items_without_a_page_are_in_no_ranking() -> None:
    hits = Hits(np.array([[2, 0]]), np.array([[2.0, 1.0]], dtype=np.float32))
    assert list(page_rankings(hits, Pageless(MemoryCollection(["a", "b", "c"])))) == [()]


def test_the_first_of_a_page_is_marked_in_each_example(collection: DiskCollection) -> None:
    rows = hits_of(collection).rows[:20]
    for example, first in zip(rows, first_of_pages(collection, rows), strict=True):
        ids = [item.page_id for item in collection.get(example[example >= 0])]
        assert first[: len(ids)].tolist() == [name not in ids[:place] for place, name in enumerate(ids)]
        assert not first[len(ids) :].any()


def test_page_ids_come_in_the_order_of_the_rows(collection: DiskCollection) -> None:
    rows = np.random.default_rng(1).permutation(collection.rows())
    assert page_ids(collection, rows) == [item.page_id for item in collection.get(rows)]


def test_a_run_never_holds_more_than_a_batch_of_items() -> None:
    collection = CountingCollection([f"text {number}" for number in range(ITEMS)])
    hits = many_hits(EXAMPLES, DEPTH, ITEMS)
    assert sum(map(len, page_rankings(hits, collection))) == hits.mask.sum() > 4 * ROWS_AT_ONCE
    assert collection.fetched <= ITEMS * 8, "each page is fetched once a batch, however many find it"
    assert collection.held <= ITEMS


def test_items_of_examples_are_fetched_by_batch(collection: DiskCollection) -> None:
    rows = hits_of(collection).rows
    expected = [collection.get(example[example >= 0]) for example in rows]
    assert list(items_of_examples(collection, rows)) == expected


def test_items_are_never_held_but_for_a_batch() -> None:
    counting = CountingCollection([f"text {number}" for number in range(ITEMS)])
    found = many_hits(EXAMPLES, DEPTH, ITEMS)
    assert sum(map(len, items_of_examples(counting, found.rows))) == found.mask.sum()
    assert counting.held <= 2 * ROWS_AT_ONCE
