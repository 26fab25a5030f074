"""The span of a text that comes nearest to an answer which no pattern gives, as a turn of a free dialogue is.

Answers that stand nowhere as they are teach by the span that shares most words with them, the oracle of extractive
summarisation (Nallapati, Zhai and Zhou, AAAI 2017, https://arxiv.org/abs/1611.04230); for a measure such as F1 that is
what a reader of spans can do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from reml.predictors.late.templates import SPAN, Fit
from reml.text.words import lowered

# Words of an answer; words that a span must share with it, and their F1. Articles are none, as in KILT's measure.
LEAST_WORDS, LEAST_SHARED, LEAST_F1 = 5, 2, 0.2
_WORD, _ARTICLES = re.compile(r"\w+"), {"a", "an", "the"}


def nearest(answers: Sequence[str], texts: Sequence[str], longest: int) -> list[list[Fit]]:
    """Give of each text its span that is nearest to one of the answers, at most one, of `longest` words.

    None where the answers have fewer words than `LEAST_WORDS`, or share too few with all spans.
    """
    wanted = [Counter(word for _, word in _words(answer)) for answer in answers]
    wanted = [one for one in wanted if one.total() >= LEAST_WORDS]
    return [_best(wanted, text, longest) for text in texts]


def _best(wanted: Sequence[Counter[str]], text: str, longest: int) -> list[Fit]:
    places = _words(text)
    most, span = LEAST_F1, ""
    for answer in wanted:
        for first, ((start, _), word) in enumerate(places):
            if word not in answer:
                continue
            left, shared = answer.copy(), 0
            for size, ((_, stop), other) in enumerate(places[first : first + longest], start=1):
                if left[other] > 0:
                    left[other] -= 1
                    shared += 1
                    likeness = 2 * shared / (answer.total() + size)
                    if likeness > most and shared >= LEAST_SHARED:
                        most, span = likeness, text[start:stop]
    return [Fit(SPAN, span)] if span else []


def _words(text: str) -> list[tuple[tuple[int, int], str]]:
    """Give the words of a text and where they stand, without articles."""
    found = ((match.span(), lowered(match[0])) for match in _WORD.finditer(text))
    return [one for one in found if one[1] not in _ARTICLES]
