"""Which pages a knowledge source has, asked of a file of pages or of a collection made of it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from reml.collection.sources.kilt_pages import JsonlPages
from reml.contract.arguments.paths import takes_paths


@takes_paths
def absent_pages(page_ids: Iterable[str], where: Path) -> set[str]:
    """Give those ids that are no page's of `where`: a file in KILT's schema, streamed, or a collection's folder.

    Memory holds the ids that are asked for, never those of the pages.
    """
    if where.is_dir():
        from reml.collection.disk import DiskCollection

        collection = DiskCollection(where)
        return {page_id for page_id in page_ids if not collection.by_page(page_id)}
    missing = set(page_ids)
    for page in JsonlPages(where).pages():
        missing.discard(page.id)
        if not missing:
            break
    return missing
