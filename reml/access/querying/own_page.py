"""Queries that do not find the page that their example was taken from.

Guu et al., "REALM: Retrieval-Augmented Language Model Pre-Training", ICML 2020, section 3.4, "prohibiting trivial
retrievals", https://arxiv.org/abs/2002.08909: who is to say a word that was masked in a page learns nothing from
finding that page. A task says in an example's `meta` under `own_page` which one that is.

Deviation: REALM leaves out the candidate that the sentence was taken from; here all items of its page are, since the
passages of a page may overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np

from reml.access.filtering import hide_each
from reml.access.querying.query_generators import InputQuery
from reml.collection.evidence import Pages
from reml.contract.access import QueryGenerator
from reml.contract.arguments.checked import checked
from reml.contract.collections import Collection
from reml.contract.examples import OWN_PAGE, Example
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array


@final
@checked()
class OutsideOwnPage:
    """The queries of a generator, each kept from finding the example's own page; the input's if left out.

    Which rows those are depends on the collection: `over` gives the generator for one, as an access model does. An
    example whose meta names no page may find all.
    """

    def __init__(self, queries: QueryGenerator | None = None) -> None:
        self.queries = queries if queries is not None else InputQuery()

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make the queries, which may find anything: no collection is given."""
        return self.queries(examples)

    def over(self, collection: Collection) -> QueryGenerator:
        """Give the generator for a collection; `ValueError` for one that knows no pages by id."""
        if not isinstance(collection, Pages):
            raise ValueError(
                f"OutsideOwnPage looks up the rows of a page, and a {type(collection).__name__} has no `by_page`: give "
                "a collection on disk, or leave out this query_generator."
            )
        return _Excluding(self.queries, collection)


@final
class _Excluding:
    """The queries of a generator, without the rows that a collection has of the pages of their examples."""

    def __init__(self, queries: QueryGenerator, pages: Pages) -> None:
        self._queries, self._pages = queries, pages

    def __call__(self, examples: Sequence[Example]) -> Queries:
        """Make the queries; `only` says what they may not find."""
        made, rows = self._queries(examples), [self._rows(example) for example in examples]
        return hide_each(made, [rows[owner] for owner in made.owners.tolist()])

    def over(self, collection: Collection) -> QueryGenerator:
        """Give the generator for another collection."""
        return OutsideOwnPage(self._queries).over(collection)

    def _rows(self, example: Example) -> Int64Array:
        page = example.meta.get(OWN_PAGE)
        if page is None:
            return np.empty(0, dtype=np.int64)
        if not isinstance(page, str):
            raise ValueError(f"meta[{OWN_PAGE!r}] of example {example.id!r} is {page!r}: name the page by its id.")
        return np.array([item.row for item in self._pages.by_page(page)], dtype=np.int64)
