"""Which names mean which page: titles, short and long forms, abbreviations, former names and adjectives."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping

from reml.tasks.factbook.pages import FactbookPage, factbook_pages
from reml.tasks.factbook.values import SYNONYMS

_FORMS = ("conventional short form", "conventional long form", "abbreviation")
_ASIDE = re.compile(r" ?[\(\[][^\)\]]*[\)\]]")
_NAME = re.compile(r"(?!none$)[A-Z][\w'’.-]+(?: (?:(?:of|the|and|dos|de|da) )*[A-Z][\w'’.-]+)*")
_ADJECTIVE = re.compile(r"(?!NA$)[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)*(?=$| \()")
_OUTSIDE = frozenset({"ee", "xx"})


@functools.cache
def names() -> Mapping[str, str]:
    """Give the page id of each name that means one page only; today's names go before former ones."""
    current = _unique((name, page) for page in _countries() for name in _current_names(page))
    former = _unique((name, page) for page in _countries() for name in _former_names(page))
    taken = {*current, *(part.text for page in _countries() if (part := page.part("Capital", "name")))}
    return {**{name: page for name, page in former.items() if name not in taken}, **current}


@functools.cache
def adjectives() -> Mapping[str, str]:
    """Give the page id of each adjective of nationality that belongs to one page only."""
    return _unique((name, page) for page in _countries() for name in _adjectives(page))


def page_named(name: str) -> FactbookPage | None:
    """Give the page that a name means, if it is one page only."""
    page_id = names().get(name.removeprefix("the "))
    return factbook_pages()[page_id] if page_id is not None else None


def _countries() -> Iterator[FactbookPage]:
    return (page for page_id, page in factbook_pages().items() if page_id not in _OUTSIDE)


def _current_names(page: FactbookPage) -> Iterator[str]:
    yield page.page.title.removeprefix("The ")
    for form in _FORMS:
        part = page.part("Country name", form)
        # What follows a semicolon is a note.
        yield from _split(part.text.partition(";")[0]) if part is not None and not _ASIDE.search(part.text) else ()
    for synonyms in SYNONYMS:
        if page.page.title in synonyms:
            yield from synonyms


def _former_names(page: FactbookPage) -> Iterator[str]:
    part = page.part("Country name", "former")
    yield from _split(part.text) if part is not None else ()


def _adjectives(page: FactbookPage) -> Iterator[str]:
    part = page.part("Nationality", "adjective")
    match = _ADJECTIVE.match(part.text) if part is not None else None
    if match:
        yield match[0]


def _split(text: str) -> Iterator[str]:
    pieces = re.split(r"[,;/]| or ", _ASIDE.sub("", text))
    stripped = (piece.strip().removeprefix("The ") for piece in pieces)
    return (piece for piece in stripped if _NAME.fullmatch(piece))


def _unique(pairs: Iterator[tuple[str, FactbookPage]]) -> dict[str, str]:
    meanings: dict[str, set[str]] = {}
    for name, page in pairs:
        meanings.setdefault(name, set()).add(page.page.id)
    return {name: next(iter(pages)) for name, pages in meanings.items() if len(pages) == 1}
