"""Pages cut into passages of so many words, each knowing where it stands in its page.

The text of a passage is exactly `passage_text(page, span)`: of each paragraph from the span's first to its last, what
the span covers, without white space at its ends; section headings and blank paragraphs left out; the rest joined by one
newline. Within a paragraph every character is kept, so that offsets differ from the page's by a constant.

KILT's section headings (`Section::::Early life.`) hold no statement and start with a marker that every page has; as in
KILT's own passages they are no part of the text. They still count as paragraphs, so that numbers agree with the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from reml.contract.examples import Media, Page, Span

HEADING = "Section::::"


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a page before it has a row of a collection."""

    page_id: str
    title: str
    text: str
    span: Span | None
    media: tuple[Media, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)


def split_page(page: Page, words: int = 100) -> list[Passage]:
    """Cut a page into passages of `words` words between white space, in order; the last may be shorter.

    Spans start at the first character of a word and end after the last of one; no word is in two passages. A page with
    nothing but its title gives one passage that is the title, at paragraph 0. `ValueError` if that is blank too.
    """
    if words < 1:
        raise ValueError(f"words is {words}: a passage needs at least 1 word.")
    spans = list(_spans(page.paragraphs, words)) or [_title_span(page)]
    return [Passage(page.id, page.title, passage_text(page, span), span) for span in spans]


def passage_text(page: Page, span: Span) -> str:
    """Give the text of a span of a page, as the head of this file defines it."""
    first, last = span.start_paragraph, span.end_paragraph
    if first == last:
        return page.paragraphs[first][span.start_character : span.end_character].strip()
    pieces = list(page.paragraphs[first : last + 1])
    headings = [piece.startswith(HEADING) for piece in pieces]
    pieces[-1] = pieces[-1][: span.end_character]
    pieces[0] = pieces[0][span.start_character :]
    stripped = (piece.strip() for piece, heading in zip(pieces, headings, strict=True) if not heading)
    return "\n".join(piece for piece in stripped if piece)


def _spans(paragraphs: Sequence[str], words: int) -> Iterator[Span]:
    start, end, left = (0, 0), (0, 0), words
    for number, paragraph in enumerate(paragraphs[1:], start=1):
        if paragraph.startswith(HEADING):
            continue
        while match := _at_most(left).search(paragraph, end[1] if end[0] == number else 0):
            start = (number, match.start()) if left == words else start
            end = (number, match.end())
            left -= len(match[0].split())
            if left == 0:
                yield Span(*start, *end)
                left = words
    if left < words:
        yield Span(*start, *end)


@lru_cache(maxsize=1024)
def _at_most(words: int) -> re.Pattern[str]:
    # One match for a whole run of words, possessive so that nothing is tried twice, in a paragraph of any length.
    return re.compile(rf"\S++(?:\s++\S++){{0,{words - 1}}}+")


def _title_span(page: Page) -> Span:
    title = page.paragraphs[0] if page.paragraphs else ""
    if not title.strip():
        raise ValueError(f"page {page.id!r} ({page.title!r}) has no text: paragraphs[0] must hold at least its title.")
    return Span(0, len(title) - len(title.lstrip()), 0, len(title.rstrip()))
