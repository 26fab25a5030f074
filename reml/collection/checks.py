"""Whether examples fit the knowledge source they refer to."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from reml.contract.examples import Example


@dataclass(frozen=True, slots=True)
class MissingPage:
    """An example whose provenance names a page that the knowledge source does not have."""

    example_id: str
    wikipedia_id: str
    title: str | None

    def __str__(self) -> str:
        title = f" ({self.title!r})" if self.title else ""
        return f"example {self.example_id!r} names page {self.wikipedia_id!r}{title}"


class MissingPagesError(ValueError):
    """Provenance names pages that the knowledge source does not have; the message counts and shows them."""


def missing_pages(examples: Iterable[Example], known_ids: Container[str]) -> list[MissingPage]:
    """Find all provenance that names an unknown page, each page once an example, in the order of the examples.

    A page that is not named, its id being blank, is none.

    `known_ids` holds the ids of all pages: a set, or anything else that answers `in`.
    """
    return [missing for example in examples for missing in _missing_of(example, known_ids)]


def provable(example: Example, absent: Container[str]) -> bool:
    """Tell whether an answer of an example names pages none of which is absent: only then it can have a KILT score."""
    sets = ({page for place in one.provenance if (page := place.wikipedia_id.strip())} for one in example.output)
    return any(pages and not any(page in absent for page in pages) for pages in sets)


def require_pages(examples: Iterable[Example], known_ids: Container[str], what: str) -> None:
    """Raise `MissingPagesError` if provenance names unknown pages; `what` names the examples in its message."""
    missing = missing_pages(examples, known_ids)
    if missing:
        shown = "; ".join(map(str, missing[:5])) + ("; ..." if len(missing) > 5 else "")
        pages = len({page.wikipedia_id for page in missing})
        raise MissingPagesError(
            f"the provenance of {what} names {pages} page(s) that the knowledge source does not have: {shown}. "
            "Give the knowledge source these examples were made for, or leave these examples out."
        )


def _missing_of(example: Example, known_ids: Container[str]) -> Iterator[MissingPage]:
    places = (item for answer in example.output for item in answer.provenance)
    named = {page: item.title for item in places if (page := item.wikipedia_id.strip())}
    return (MissingPage(example.id, page_id, title) for page_id, title in named.items() if page_id not in known_ids)
