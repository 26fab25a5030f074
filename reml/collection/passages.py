"""Pages cut into passages of so many words, each knowing where it stands in its page.

A word is what stands between white space. In a paragraph that is mostly of scripts that put no spaces between words,
two of their letters are one, and of other characters up to 20; and so in a stretch of more than 300 characters without
white space, which is no word of any script. So a page of Chinese or Thai becomes passages of twice as many letters as
words are asked for, and no page becomes one passage because it has no spaces.

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

import regex

from reml.contract.examples import Media, Page, Span
from reml.text.words import UNSPACED

HEADING = "Section::::"
# Characters of a stretch that may be one word.
LONGEST = 300
# Tibetan puts spaces between sentences only.
_SCRIPTS = rf"{UNSPACED}\p{{Tibetan}}"
_LETTER = rf"[{_SCRIPTS}&&\p{{L}}]"
_SPACE = r"\s\x1c-\x1f"  # what `str.split` and `re` take for white space
_PIECE = rf"(?:{_LETTER}[^\p{{L}}\p{{N}}_{_SPACE}]{{0,20}}+){{1,2}}|(?:(?!{_LETTER})[^{_SPACE}]){{1,20}}\p{{M}}*+"
_PIECES = regex.compile(rf"(?V1){_PIECE}")
_WORDS = regex.compile(rf"(?V1)(?=[^{_SPACE}]{{{LONGEST + 1}}})(?:{_PIECE})|[^{_SPACE}]++")
_OF_SCRIPTS = regex.compile(f"[{_SCRIPTS}]")
# None of their characters is outside, so that most texts are told at a glance.
_MAY_BE = re.compile("[\u0e00-\u1dff\u2e80-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of a page before it has a row of a collection."""

    page_id: str
    title: str
    text: str
    span: Span | None
    media: tuple[Media, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)


def split_page(page: Page, words: int | None = 100) -> list[Passage]:
    """Cut a page into passages of `words` words, in order; the last may be shorter. `None` leaves it whole.

    Spans start at the first character of a word and end after the last of one; no word is in two passages. A page with
    nothing but its title gives one passage without text, at paragraph 0, which keeps the title where the page is not
    named so. `ValueError` if that is blank too.
    """
    if words is not None and words < 1:
        raise ValueError(f"words is {words}: a passage needs at least 1 word, or none for the whole page.")
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


def words_of(text: str) -> list[tuple[int, int]]:
    """Give where the words of a text begin and end, as passages count them."""
    return [word.span() for word in (_PIECES if _is_unspaced(text) else _WORDS).finditer(text)]


def count_words(text: str) -> int:
    """Count the words of a text, as passages do."""
    stretches = text.split()
    if max(map(len, stretches), default=0) <= LONGEST and not _is_unspaced(text):
        return len(stretches)
    return len(words_of(text))


def _spans(paragraphs: Sequence[str], words: int) -> Iterator[Span]:
    start, end, left = (0, 0), (0, 0), words
    for number, paragraph in enumerate(paragraphs[1:], start=1):
        if paragraph.startswith(HEADING):
            continue
        unspaced = _is_unspaced(paragraph)
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


def _is_unspaced(paragraph: str) -> bool:
    """Say whether a paragraph is mostly of scripts that put no spaces between words."""
    if paragraph.isascii() or _MAY_BE.search(paragraph) is None:
        return False
    return 2 * len(_OF_SCRIPTS.findall(paragraph)) > len(paragraph)


def _taken(paragraph: str, found: re.Match[str], left: int, *, unspaced: bool) -> tuple[int, int]:
    """Say how many words a run between white space has, at most `left`, and where the last of them ends."""
    stop = found.end()
    if not unspaced and (stop == len(paragraph) or paragraph[stop].isspace()):
        return len(found[0].split()), stop
    # Here letters count, or a stretch goes on that is no word.
    words = list(islice((_PIECES if unspaced else _WORDS).finditer(paragraph, found.start()), left))
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
