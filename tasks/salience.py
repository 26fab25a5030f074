"""Which spans of a sentence are salient: names, numbers and dates, by rules and no model of any language.

- A date has the English name of a month beside a day or a year (`5 May 1992`, `May 1992`, `May 5, 1992`, `5 May`), or
  is written 1992-05-05.
- A number stands alone, with its separators, decimals and a percent sign: `1,259,200`, `0.5`, `77.9%`; not `19` of
  `COVID-19` or `3` of `3rd`.
- A name is a run of words with a capital: `N'Djamena`, `Guinea-Bissau`, `U.S.`, `COVID-19`, with small words between
  them that link names (`Republic of the Congo`). The first word of a sentence has a capital in any case: it is left out
  of the run, unless the whole run is `known`, such as the title of the page.

A script without capitals has numbers and dates alone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final, Literal, get_args

import regex

Place = tuple[int, int]
Sort = Literal["names", "numbers", "dates"]
SORTS: tuple[Sort, ...] = get_args(Sort)

_MONTH: Final = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan\.?|Feb\.?|Mar\.?|Apr\.?|Jun\.?|Jul\.?|Aug\.?|Sept?\.?|Oct\.?|Nov\.?|Dec\.?)"
)
_DAY, _YEAR = r"(?:3[01]|[12]\d|0?[1-9])", r"\d{4}"
_ALONE, _ENDED = r"(?<![\p{L}\p{M}\p{N}]|[\p{L}\p{N}][-.,'’])", r"(?![\p{L}\p{M}\p{N}]|[-'’]\p{L})"
_DATES: Final = regex.compile(
    rf"""{_ALONE}(?:{_DAY}\s{_MONTH}(?:,?\s{_YEAR})?
    |{_MONTH}\s{_DAY},\s{_YEAR}
    |{_MONTH}\s(?:{_YEAR}|{_DAY})
    |{_YEAR}-[01]\d-[0-3]\d){_ENDED}""",
    regex.VERBOSE,
)
_NUMBERS: Final = regex.compile(
    rf"(?<![\p{{L}}\p{{M}}\p{{N}}]|\p{{L}}[-'’.]|\d[.,])\d+(?:[.,\u00a0\u202f]\d+)*{_ENDED}%?"
)
_CAPITAL: Final = r"(?:\p{Lu}\.(?:\p{Lu}\.)+|[\p{Lu}\p{Lt}][\p{L}\p{M}\p{N}]*(?:[-'’][\p{L}\p{M}\p{N}]+)*)"
_LINK: Final = r"(?:of|the|de|la|las|los|del|della|du|des|da|do|dos|di|von|van|der|den|al|el|bin|ibn)"
_WORD: Final = rf"(?<![\p{{L}}\p{{M}}\p{{N}}]|[\p{{L}}\p{{N}}][-'’.]){_CAPITAL}"
_NAMES: Final = regex.compile(rf"{_WORD}(?:\x20(?:{_LINK}\x20){{0,2}}{_CAPITAL})*")
_FIRST: Final = regex.compile(rf"{_CAPITAL}\x20(?:{_LINK}\x20){{0,2}}(?={_CAPITAL})")
_OPENING: Final = " \t\"'“‘«‹([{¿¡–—-"


def salient(sentence: str, known: Collection[str] = (), kinds: Collection[Sort] = SORTS) -> list[Place]:
    """Give where each salient span of a sentence begins and ends, in order; no two overlap.

    known: names that count even where they begin the sentence. kinds: those that are wanted.
    """
    dates = [match.span() for match in _DATES.finditer(sentence)]
    numbers = [match.span() for match in _NUMBERS.finditer(sentence) if _free(match.span(), dates)]
    names = [place for place in _names(sentence, known) if _free(place, [*dates, *numbers])]
    found: Mapping[Sort, list[Place]] = {"names": names, "numbers": numbers, "dates": dates}
    return sorted(place for kind in set(kinds) for place in found[kind])


def names_within(sentence: str) -> set[str]:
    """Give the names that stand in a sentence, but not at its start."""
    return {sentence[start:end] for start, end in _names(sentence, ())}


def _names(sentence: str, known: Collection[str]) -> Iterator[Place]:
    beginning = len(sentence) - len(sentence.lstrip(_OPENING))
    for match in _NAMES.finditer(sentence):
        start, end = match.span()
        if start > beginning or match[0] in known:
            yield start, end
        elif (first := _FIRST.match(sentence, start, end)) is not None:
            yield first.end(), end


def _free(place: Place, taken: list[Place]) -> bool:
    return all(place[1] <= start or end <= place[0] for start, end in taken)
