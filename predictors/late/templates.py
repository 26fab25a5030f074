"""Patterns of answers with places for a title and a span, learnt from the answers that are right.

Delexicalised answers (Wen et al., EMNLP 2015, https://arxiv.org/abs/1508.01745): a span alone, a title alone, a label
such as SUPPORTS, or a sentence around both. The pattern of an answer is the one that fitted most examples. It is
admitted once it fitted `least`, and more than any that has a span elsewhere, or `SURE` times as many; a text without
places must be right for one example of `FREQUENT`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import torch
from torch import Tensor, nn

# Kinds of patterns (`kind`).
KINDS = 5
# Places for the title of an item and for a span of its text, of Unicode's private use.
TITLE, SPAN = "\ue000", "\ue001"
# Begins a pattern that asks for another page (`reml.predictors.late.asking`).
ASK = "\ue002"
# Counts of patterns are the least of two kept by their hashes (a count-min sketch); which example counted already is
# kept by its hash too; a pattern of more bytes is not admitted.
COUNTS, COUNTED, LONGEST = 1 << 21, 1 << 21, 160
SURE, FREQUENT = 3, 100
# What a count stays at.
MOST = 10_000
# Words of the longest span that a pattern may stand around.
SPAN_WORDS = 12
_WORD, _INNER = re.compile(r"\S+"), re.compile(r"[A-Za-z0-9]")
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


def kind(pattern: str) -> int:
    """Tell which of `KINDS` a pattern is: a label, a span alone, a title alone, words around one of them, or asking."""
    if pattern.startswith(ASK):
        return 4
    return 3 if words(pattern) else (SPAN in pattern) + 2 * (TITLE in pattern)


def words(pattern: str) -> str:
    """Give the words of a sentence around places; none of a label, which stands for itself."""
    around = pattern.replace(TITLE, " ").replace(SPAN, " ")
    return " ".join(around.split()) if around != pattern and re.search(r"\w", around) else ""


def _around_spans(base: str, text: str) -> Iterable[Fit]:
    places = [match.span() for match in _WORD.finditer(base)]
    for first, (start, stop) in enumerate(places):
        if base[start:stop].strip(_MARKS) not in text:
            continue  # nothing that begins with this word stands in the text
        for _, last in places[first : first + SPAN_WORDS]:
            # A span may stand within quotation marks, or end before the full stop of the sentence.
            for begin in dict.fromkeys((start, start + (base[start] in _MARKS))):
                for end in dict.fromkeys((last, last - (base[last - 1] in _MARKS))):
                    span = base[begin:end]
                    if span and TITLE not in span and _stands(span, text):
                        yield Fit(base[:begin] + SPAN + base[end:], span)


def _stands(span: str, text: str) -> bool:
    """Tell whether a span stands in a text otherwise than within a word of ASCII letters and digits."""
    if span not in text:
        return False
    before = r"(?<![A-Za-z0-9])" if _INNER.match(span[0]) else ""
    behind = r"(?![A-Za-z0-9])" if _INNER.match(span[-1]) else ""
    return re.search(f"{before}{re.escape(span)}{behind}", text) is not None


class Templates(nn.Module):
    """At most `capacity` patterns, in the order they were admitted; counts and patterns are saved with the weights."""

    written: Tensor
    counts: Tensor
    counted: Tensor
    seen: Tensor

    def __init__(self, capacity: int, least: int) -> None:
        super().__init__()
        self.capacity, self.least = capacity, least
        self.register_buffer("written", torch.zeros(capacity, LONGEST, dtype=torch.uint8))
        self.register_buffer("counts", torch.zeros(2, COUNTS, dtype=torch.int16))
        self.register_buffer("counted", torch.zeros(COUNTED, dtype=torch.bool))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
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
        """Count what fits an answer of an example, the first time it comes, and admit what fits most by now."""
        answers = [found for found in answers if found]
        if self._first(example):
            self.seen += 1
            self._add({fit.pattern for found in answers for fit in found})
        for found in answers:
            best = max(found, key=lambda fit: self._rank(fit.pattern))
            known, size = self.known, len(best.pattern.encode())
            new = best.pattern not in known and len(known) < self.capacity and size <= LONGEST
            if new and self._admitted(best, found):
                self.written[len(known), :size] = torch.tensor(list(best.pattern.encode()), dtype=torch.uint8)

    def _first(self, example: str) -> bool:
        """Tell whether an example was not counted yet; from now on it was."""
        (place, _) = _slots(example, COUNTED)
        first = not self.counted[place]
        self.counted[place] = True
        return first

    def _add(self, patterns: Iterable[str]) -> None:
        places = torch.tensor([_slots(pattern) for pattern in patterns], dtype=torch.long, device=self.counts.device)
        for row, of_row in zip(self.counts, places.reshape(-1, 2).T, strict=True):
            row[of_row] = (row[of_row] + 1).clamp_max(MOST)

    def _admitted(self, best: Fit, found: Sequence[Fit]) -> bool:
        """Tell whether the fit of an answer that fits most fits enough, and more than others."""
        least, count = self.least, self._count(best.pattern)
        if SPAN not in best.pattern and TITLE not in best.pattern:
            least = max(least, -(-int(self.seen) // FREQUENT))
        elsewhere = (fit.pattern for fit in found if not _nested(fit.span, best.span) and fit.pattern != best.pattern)
        clear = best.pattern == TITLE or count >= SURE * least or count > max(map(self._count, elsewhere), default=0)
        return clear and count >= least

    def _rank(self, pattern: str) -> tuple[bool, int, int]:
        """Prefer the title alone, where it is known; else what fits most, the longer of two."""
        count = self._count(pattern)
        return pattern == TITLE and count >= self.least, count, len(pattern)

    def _count(self, pattern: str) -> int:
        one, other = _slots(pattern)
        return min(int(self.counts[0, one]), int(self.counts[1, other]))


def _nested(one: str, other: str) -> bool:
    """Tell whether one of two spans holds the other; what is no span is in none."""
    return one == other or (bool(one and other) and (one in other or other in one))


def _slots(text: str, slots: int = COUNTS) -> tuple[int, int]:
    one, other = struct.unpack("<II", blake2b(text.encode(), digest_size=8).digest())
    return one % slots, other % slots
