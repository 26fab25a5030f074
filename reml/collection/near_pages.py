"""Which page of a collection is likely meant by an id that it does not have: one of that title, or of a like id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice

from reml.collection.checks import MissingPage
from reml.collection.disk import DiskCollection
from reml.evaluation.meeting import alike, cut, first_of, nearest

# So many pages are looked at, the first ones; a title is looked up among all.
LOOKED_AT, AT_ONCE = 10_000, 1_000
AS_THERE = "write `wikipedia_id` as the knowledge source has it"
ANOTHER = "name the knowledge source that the records were made for, or leave their `provenance` out"


def told_nearest(missing: Sequence[MissingPage], collection: DiskCollection) -> str:
    """Say which page is nearest to one that a collection lacks, or of which kind its ids are, and what to do."""
    wanted = list(dict.fromkeys(one.wikipedia_id for one in missing))
    titles = _first_titles(collection)
    pairs = _of_title(missing, collection) or nearest(titles, wanted) or _like_title(titles, wanted)
    if pairs:
        there, given = pairs[0]
        return f"the nearest page there to {cut(given)} is {cut(there)}: {AS_THERE}"
    return f"the ids there are such as {first_of(titles)}: {ANOTHER}"


def _of_title(missing: Iterable[MissingPage], collection: DiskCollection) -> list[tuple[str, str]]:
    """Pair the first id that is the title of a page, or comes with one, with the id of that page."""
    titled = ((title, one.wikipedia_id) for one in missing for title in (one.wikipedia_id, one.title) if title)
    found = ((item.page_id, given) for title, given in titled for item in collection.by_title(title)[:1])
    return list(islice(found, 1))


def _like_title(titles: dict[str, str], wanted: Sequence[str]) -> list[tuple[str, str]]:
    """Pair ids with the pages whose titles are written alike."""
    by_title = {title: page for page, title in titles.items()}
    return [(by_title[title], given) for title, given in alike(by_title, wanted)]


def _first_titles(collection: DiskCollection) -> dict[str, str]:
    """Give the ids of the first pages, each with its title."""
    items = islice(chain.from_iterable(collection.batches(AT_ONCE)), LOOKED_AT)
    return {item.page_id: item.title for item in items}
