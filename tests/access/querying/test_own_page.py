"""What an example's own queries may not find: the page that it was taken from, live and ahead."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.querying import RM3, OutsideOwnPage
from reml.access.querying.query_generators import MentionQuery
from reml.collection.disk import DiskCollection, build_collection
from reml.contract.examples import OWN_PAGE, Example, Page
from reml.contract.retrieved import Queries
from reml.retrievers.bm25 import BM25
from reml.testing import MemoryCollection
from tests.memory_pages import MemoryPages

# Passages of two words; all of Lima's, rows 0 and 1, name copper, as do the first of Oslo's, row 2, and Rome, row 4.
PAGES = [
    Page("li", "Lima", ("Lima", "copper mines copper trade")),
    Page("os", "Oslo", ("Oslo", "copper roofs green fjord")),
    Page("ro", "Rome", ("Rome", "copper pots")),
]


def asked(page: str | None, number: int = 0) -> Example:
    return Example(f"q{number}", "copper", meta={} if page is None else {OWN_PAGE: page})


EXAMPLES = [asked(page, number) for number, page in enumerate(["li", "os", None, "no such page"])]
FOUND = [[2, 4], [0, 1, 4], [0, 1, 2, 4], [0, 1, 2, 4]]


def collection_of(pages: list[Page], folder: Path) -> DiskCollection:
    return build_collection(MemoryPages(pages), folder / "pages", words=2)


def access_of(collection: DiskCollection, folder: Path, generator: OutsideOwnPage | None) -> InformationAccess:
    limits = Limits(depth=5, k=5)
    return InformationAccess(BM25().index(collection, folder / "index"), generator, limits=limits)


def rows(found: np.ndarray) -> list[list[int]]:
    return [sorted(row[row >= 0].tolist()) for row in found]


@pytest.fixture
def access(tmp_path: Path) -> InformationAccess:
    return access_of(collection_of(PAGES, tmp_path), tmp_path, OutsideOwnPage())


def test_the_own_page_is_not_found_live_or_ahead(access: InformationAccess) -> None:
    ahead = access.search(EXAMPLES)
    assert rows(ahead.rows) == rows(access.open(EXAMPLES).ask().rows) == FOUND
    assert rows(access.open(EXAMPLES, ahead).ask().rows) == FOUND


def test_it_takes_no_place_of_the_k_best(access: InformationAccess) -> None:
    found = access.open(EXAMPLES).ask(k=2)
    assert found.mask.all()
    assert rows(access.search(EXAMPLES, 2).rows) == rows(found.rows)
    assert rows(found.rows)[0] == [2, 4]


def test_without_it_every_page_is_found(tmp_path: Path) -> None:
    access = access_of(collection_of(PAGES, tmp_path), tmp_path, None)
    assert rows(access.search(EXAMPLES).rows) == [[0, 1, 2, 4]] * 4


def test_an_example_of_the_only_page_finds_nothing(tmp_path: Path) -> None:
    access = access_of(collection_of(PAGES[:1], tmp_path), tmp_path, OutsideOwnPage())
    found = access.open(EXAMPLES[:1]).ask()
    assert not found.mask.any()
    assert list(found.items) == [()]


def test_queries_that_a_predictor_writes_may_find_it(access: InformationAccess) -> None:
    assert rows(access.open(EXAMPLES).ask(Queries.of(["copper"])).rows) == [[0, 1, 2, 4]]


def test_the_queries_are_those_of_the_generator(access: InformationAccess) -> None:
    example = Example("m", "all of [START_ENT] copper [END_ENT]", meta={OWN_PAGE: "li"})
    queries = OutsideOwnPage(MentionQuery()).over(access.collection)([example])
    assert queries.texts == ("copper",)
    assert queries.only is not None
    assert queries.only.excluded
    assert queries.only[0].tolist() == [0, 1]
    assert OutsideOwnPage(MentionQuery())([example]).texts == ("copper",)


def test_an_expansion_learns_nothing_of_the_own_page(access: InformationAccess) -> None:
    """Rows 0 and 1 alone hold `mines` and `trade`, which the query would be expanded by."""
    expanded = InformationAccess(
        access.retriever, OutsideOwnPage(), expansion=RM3(feedback_items=2, feedback_terms=8), limits=access.limits
    )
    assert rows(expanded.search(EXAMPLES[:1]).rows) == [[2, 3, 4]], "`green fjord` is Oslo's too"


def test_what_knows_no_pages_is_refused(tmp_path: Path) -> None:
    collection = MemoryCollection(["copper"])
    with pytest.raises(ValueError, match="MemoryCollection has no `by_page`: give a collection on disk"):
        InformationAccess(BM25().index(collection, tmp_path / "index"), OutsideOwnPage())


def test_a_page_that_is_no_id_is_refused(access: InformationAccess) -> None:
    with pytest.raises(ValueError, match=r"meta\['own_page'\] of example 'q7' is 7: name the page by its id"):
        access.search([Example("q7", "copper", meta={OWN_PAGE: 7})])
