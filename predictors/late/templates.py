"""Patterns of answers with places for a title and a span, learnt from the answers that are right.

Delexicalised answers (Wen et al., EMNLP 2015, https://arxiv.org/abs/1508.01745): a span alone, a title alone, a label
such as SUPPORTS, or a sentence around both. A pattern is admitted once it fitted `least` examples; which pattern an
answer has is then the one that fits most.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

# Places for the title of an item and for a span of its text, of Unicode's private use.
TITLE, SPAN = "\ue000", "\ue001"
# Counts of patterns are kept by their hash, and so is which example counted already; a pattern of more bytes is not
# admitted.
COUNTS, COUNTED, LONGEST = 1 << 16, 1 << 21, 160
# Words of the longest span that a pattern may stand around.
SPAN_WORDS = 12
_WORD = re.compile(r"\S+")
_MARKS = ".,;:!?\"'()[]“”«»"


class Fit(NamedTuple):
    """A pattern that gives an answer with an item's title and this span of its text; no span where it needs none."""

    pattern: str
    span: str


def fits(answer: str, title: str, text: str) -> list[Fit]:
    """Give the patterns that say `answer` of an item, each with its span."""
    titled = answer.replace(title, TITLE) if title else answer
    bases = dict.fromkeys((answer, titled))
    return [Fit(base, "") for base in bases] + [fit for base in bases for fit in _around_spans(base, text)]


def filled(pattern: str, title: str, span: str) -> str:
    """Write an answer."""
    return pattern.replace(TITLE, title).replace(SPAN, span)


def _around_spans(base: str, text: str) -> Iterable[Fit]:
    words = [match.span() for match in _WORD.finditer(base)]
    for first, (start, stop) in enumerate(words):
        if base[start:stop].strip(_MARKS) not in text:
            continue  # nothing that begins with this word stands in the text
        for _, last in words[first : first + SPAN_WORDS]:
            # A span may stand within quotation marks, or end before the full stop of the sentence.
            for begin in dict.fromkeys((start, start + (base[start] in _MARKS))):
                for end in dict.fromkeys((last, last - (base[last - 1] in _MARKS))):
                    span = base[begin:end]
                    if span and TITLE not in span and span in text:
                        yield Fit(base[:begin] + SPAN + base[end:], span)


class Templates(nn.Module):
    """At most `capacity` patterns, in the order they were admitted; counts and patterns are saved with the weights."""

    written: Tensor
    counts: Tensor
    counted: Tensor

    def __init__(self, capacity: int, least: int) -> None:
        super().__init__()
        self.capacity, self.least = capacity, least
        self.register_buffer("written", torch.zeros(capacity, LONGEST, dtype=torch.uint8))
        self.register_buffer("counts", torch.zeros(COUNTS, dtype=torch.int32))
        self.register_buffer("counted", torch.zeros(COUNTED, dtype=torch.bool))
        self._held, self._known = b"", list[str]()

    @property
    def known(self) -> Sequence[str]:
        """Give the admitted patterns, in order."""
        held = self.written.cpu().numpy().tobytes()
        if held != self._held:
            rows = (held[start : start + LONGEST].rstrip(b"\0") for start in range(0, len(held), LONGEST))
            self._held, self._known = held, [row.decode() for row in rows if row]
        return self._known

    def learn(self, example: str, answers: Iterable[Sequence[Fit]]) -> None:
        """Count what fits an answer of an example, once however often it comes, and admit what fits most by now."""
        answers = [found for found in answers if found]
        for pattern in {fit.pattern for found in answers for fit in found}:
            place = _slot(f"{pattern}\n{example}", COUNTED)
            self.counts[_slot(pattern)] += ~self.counted[place]
            self.counted[place] = True
        for found in answers:
            best = max(dict.fromkeys(fit.pattern for fit in found), key=self._rank)
            known = self.known
            size = len(best.encode())
            if self._count(best) >= self.least and best not in known and len(known) < self.capacity and size <= LONGEST:
                self.written[len(known), :size] = torch.tensor(list(best.encode()), dtype=torch.uint8)

    def _rank(self, pattern: str) -> tuple[bool, int, int]:
        """Prefer the title alone, where it is known; else what fits most, the longer of two."""
        count = self._count(pattern)
        return pattern == TITLE and count >= self.least, count, len(pattern)

    def _count(self, pattern: str) -> int:
        return int(self.counts[_slot(pattern)])


def _slot(text: str, slots: int = COUNTS) -> int:
    return zlib.crc32(text.encode()) % slots
