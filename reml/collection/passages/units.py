"""What a passage is made of: runs of words, whole sentences or whole paragraphs, and how many it shares with the next.

Sentences are those of `reml.text.sentences`. A paragraph is one of the page, and within it what stands between blank
lines, so that texts which came as one string have paragraphs too. A sentence or paragraph of more words than a passage
may have counts as several, runs of so many words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from reml.collection.passages.words import HEADING, count_words, words_of
from reml.contract.examples import Span
from reml.text.sentences import sentences

Unit = Literal["words", "sentences", "paragraphs"]
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


@dataclass(frozen=True)
class Units:
    """What is put together to a passage.

    unit: what is never cut, unless it is longer than a passage may be. size: how many make a passage; as many as fit
    into its words if left out. overlap: how many of them a passage takes over from the end of the one before, as far as
    there is room for a further one.
    """

    unit: Unit = "words"
    size: int | None = None
    overlap: int = 0

    def check(self, words: int | None, under: str = "") -> None:
        """Raise `ValueError` for what does not fit together.

        words: that a passage has at most, `None` for any. under: what its settings stand under, such as `reading.`.
        """
        if self.unit not in get_args(Unit):
            raise ValueError(f"{under}unit is {self.unit!r}: name one of {', '.join(get_args(Unit))}.")
        if words is not None and words < 1:
            raise ValueError(f"{under}words is {words}: a passage needs at least 1 word, or none for the whole page.")
        if self.size is not None and (self.unit == "words" or self.size < 1):
            raise ValueError(
                f"{under}size is {self.size}: give it for sentences or paragraphs, 1 or more; `words` is that of words."
            )
        most = words if self.unit == "words" else self.size
        if most is None and (self.overlap or self.unit != "words") and words is None:
            raise ValueError(f"{self.unit} of a passage have no limit: give `words`, or `size` for other units.")
        if self.overlap < 0 or (most is not None and self.overlap >= most):
            below = "" if most is None else f", below the {most} {self.unit} of a passage"
            raise ValueError(f"{under}overlap is {self.overlap}: give 0 or more{below}.")


RUNS = Units()


class _Piece(NamedTuple):
    paragraph: int
    start: int
    end: int
    words: int


def unit_spans(paragraphs: Sequence[str], words: int | None, units: Units) -> Iterator[Span]:
    """Give the spans of the passages of a page, in order; none if it has nothing but its title."""
    pieces = [
        piece for number, text in enumerate(paragraphs) if number for piece in _pieces(number, text, words, units)
    ]
    for first, stop in _windows([piece.words for piece in pieces], words, units):
        start, end = pieces[first], pieces[stop - 1]
        yield Span(start.paragraph, start.start, end.paragraph, end.end)


def _windows(words: Sequence[int], most: int | None, units: Units) -> Iterator[tuple[int, int]]:
    """Give from which piece, and up to which, each passage goes, from the words of each."""
    first = reached = 0
    while reached < len(words):
        stop, taken = first, 0
        while stop < len(words) and (stop == first or _fits(stop - first, taken + words[stop], most, units)):
            stop, taken = stop + 1, taken + words[stop]
        if stop > reached:
            yield first, stop
            first, reached = max(first + 1, stop - units.overlap), stop
        else:
            first += 1  # what it has in common with the one before leaves no room for anything new


def _fits(count: int, words: int, most: int | None, units: Units) -> bool:
    return (units.size is None or count < units.size) and (most is None or words <= most)


def _pieces(number: int, text: str, words: int | None, units: Units) -> Iterator[_Piece]:
    if text.startswith(HEADING):
        return
    if units.unit == "words":
        yield from (_Piece(number, start, end, 1) for start, end in words_of(text))
        return
    for start, end in sentences(text) if units.unit == "sentences" else _blocks(text):
        count = count_words(text[start:end])
        if words is None or count <= words:
            yield _Piece(number, start, end, count)
            continue
        places = words_of(text[start:end])
        for run in (places[at : at + words] for at in range(0, len(places), words)):
            yield _Piece(number, start + run[0][0], start + run[-1][1], len(run))


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Give where what stands between blank lines begins and ends, without the white space around it."""
    start = 0
    for end, further in (*(found.span() for found in _BLANK_LINE.finditer(text)), (len(text), len(text))):
        block = text[start:end]
        if block.strip():
            yield start + len(block) - len(block.lstrip()), start + len(block.rstrip())
        start = further
