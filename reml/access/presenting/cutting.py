"""Sentences of items, and items of which only some sentences are left, with the place of these in their page.

The text of an item is that of its span (`reml.collection.passages.cutting`): within a paragraph each character is kept,
paragraphs are lines, and section headings and blank paragraphs are left out. So the place of a cut is known

    exactly    in the first and the last paragraph of an item, and so in one that has only one;
    not quite  in a paragraph between: which it is, and where it begins, is not kept. There the span goes from where the
               first paragraph ends to where the last begins: it surely holds the cut, and more.

Passages of one paragraph (`reading: {unit: paragraphs, size: 1}`) have exact spans only. Where a text
is not that of its span, for a processor changed it before (`Responses.as_kept`), the span stays whole: cut once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from reml.collection.passages import words_of
from reml.contract.examples import Item, Span
from reml.text.sentences import sentences

GAP = " … "  # stands where sentences between two others are left out
_PARTS = re.compile(rf"\n|{GAP}")
Stretch = tuple[int, int]


def stretches(text: str) -> list[Stretch]:
    """Give where the sentences of a text begin and end; none goes over the end of a line, or over a gap."""
    return list(_stretches(text))


def _stretches(text: str) -> Iterator[Stretch]:
    start = 0
    for end in (*_PARTS.finditer(text), None):
        line = text[start : end.start() if end is not None else None]
        yield from ((start + first, start + last) for first, last in sentences(line))
        start = end.end() if end is not None else len(text)


def cut(item: Item, kept: Sequence[Stretch], *, as_kept: bool) -> Item:
    """Give an item with these stretches of its text alone, one or more in order, and the span that holds them.

    Neighbours stay parted as they are; `GAP` stands where something is left out between two. as_kept: whether the item
    is as its collection has it.
    """
    text, pieces = item.text, list[str]()
    for (start, stop), before in zip(kept, [None, *kept[:-1]], strict=True):
        if before is not None:
            between = text[before[1] : start]
            pieces.append(GAP if between.strip() else between)
        pieces.append(text[start:stop])
    span = span_within(item, kept[0][0], kept[-1][1]) if as_kept else item.span
    return replace(item, text="".join(pieces), span=span)


def first_words(text: str, stretch: Stretch, words: int) -> Stretch:
    """Give the first words of a stretch, which is longer."""
    start, stop = stretch
    return start, start + words_of(text[start:stop])[words - 1][1]


def span_within(item: Item, start: int, stop: int) -> Span | None:
    """Give the smallest span that surely holds these characters of an item's text; none where the item has none."""
    span, text = item.span, item.text
    if span is None:
        return None
    if span.start_paragraph == span.end_paragraph:
        if span.end_character - span.start_character != len(text):
            return span
        at = span.start_character
        return Span(span.start_paragraph, at + start, span.end_paragraph, at + stop)
    first, last = text.find("\n"), text.rfind("\n") + 1
    begins = span.end_character - (len(text) - last)  # where the last line does, in its paragraph
    if first < 0 or begins < 0:
        return span
    head, tail = (span.start_paragraph, span.start_character), (span.end_paragraph, begins)
    from_ = (tail[0], tail[1] + start - last) if start >= last else (head[0], head[1] + min(start, first))
    to = (head[0], head[1] + stop) if stop <= first else (tail[0], tail[1] + max(stop - last, 0))
    return Span(*from_, *to)
