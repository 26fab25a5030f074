"""Pages in memory for the tests of collections."""

from __future__ import annotations

from reml.collection.sources import MemoryPages
from reml.contract.examples import Page

__all__ = ["MemoryPages", "numbered_page", "numbered_pages"]


def numbered_page(number: int, words: int = 5, title: str | None = None) -> Page:
    """Make a page of one paragraph: w3.0 w3.1 w3.2 ... on page 3."""
    text = " ".join(f"w{number}.{place}" for place in range(words))
    title = title or f"Title {number}"
    return Page(f"p{number}", title, (f"{title}\n", f"{text}\n"))


def numbered_pages(count: int) -> MemoryPages:
    """Make a source of so many pages of five words."""
    return MemoryPages([numbered_page(number) for number in range(count)])
