"""Pages cut into passages: runs of words, or whole sentences or paragraphs, each knowing where it stands in its page.

What a word is says `words`, what else a passage may be made of `units`. So a page of Chinese or Thai becomes passages
of twice as many letters as words are asked for, and no page becomes one passage because it has no spaces.

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
from itertools import islice

from reml.collection.passages.units import RUNS, Units, unit_spans
from reml.collection.passages.words import HEADING, LONGEST, PIECES, WORDS, is_unspaced
from reml.contract.examples import Media, Page, Span


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a page before it has a row of a collection."""

    page_id: str
    title: str
    text: str
    span: Span | None
    media: tuple[Media, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)


def split_page(page: Page, words: int | None = 100, units: Units = RUNS) -> list[Passage]:
    """Cut a page into passages, in order: of `words` words, the last may be shorter, or of `units` that fit into them.

    `None` words leave it whole, or set no limit to units that have a size. Spans start at the first character of a word
    and end after the last of one; no word is in two passages unless the units overlap. A page with nothing but its
    title gives one passage without text, at paragraph 0, which keeps the title where the page is not named so.
    `ValueError` if that is blank too.
    """
    units.check(words)
    if units != RUNS:
        spans = list(unit_spans(page.paragraphs, words, units))
    else:
        spans = list(_whole(page.paragraphs) if words is None else _spans(page.paragraphs, words))
    if not spans:
        span = _title_span(page)
        title = passage_text(page, span)
        return [Passage(page.id, page.title, "" if title == page.title.strip() else title, span)]
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
        unspaced = is_unspaced(paragraph)
        while match := _at_most(left).search(paragraph, end[1] if end[0] == number else 0):
            start = (number, match.start()) if left == words else start
            taken, stop = _taken(paragraph, match, left, unspaced=unspaced)
            end = (number, stop)
            left -= taken
            if left == 0:
                yield Span(*start, *end)
                left = words
    if left < words:
        yield Span(*start, *end)


def _taken(paragraph: str, found: re.Match[str], left: int, *, unspaced: bool) -> tuple[int, int]:
    """Say how many words a run between white space has, at most `left`, and where the last of them ends."""
    stop = found.end()
    if not unspaced and (stop == len(paragraph) or paragraph[stop].isspace()):
        return len(found[0].split()), stop
    # Here letters count, or a stretch goes on that is no word.
    words = list(islice((PIECES if unspaced else WORDS).finditer(paragraph, found.start()), left))
    return len(words), words[-1].end()


def _whole(paragraphs: Sequence[str]) -> Iterator[Span]:
    texts = list(enumerate(paragraphs))[1:]
    said = [(number, text) for number, text in texts if text.strip() and not text.startswith(HEADING)]
    if said:
        (first, head), (last, tail) = said[0], said[-1]
        yield Span(first, len(head) - len(head.lstrip()), last, len(tail.rstrip()))


@lru_cache(maxsize=1024)
def _at_most(words: int) -> re.Pattern[str]:
    # One match for a whole run of words, possessive so that nothing is tried twice, in a paragraph of any length.
    word = rf"\S{{1,{LONGEST}}}+"
    return re.compile(rf"{word}(?:\s++{word}){{0,{words - 1}}}+")


def _title_span(page: Page) -> Span:
    title = page.paragraphs[0] if page.paragraphs else ""
    if not title.strip():
        raise ValueError(f"page {page.id!r} ({page.title!r}) has no text: paragraphs[0] must hold at least its title.")
    return Span(0, len(title) - len(title.lstrip()), 0, len(title.rstrip()))
