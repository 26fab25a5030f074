"""Whether the text of the provenance holds the answer or names a right page, as KILT computes it.

The text is searched after normalisation and as a string, so that "art" is found in "start": this is KILT's definition.
Places are counted as given, pages that come twice included.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reml.evaluation.answers import without_articles, without_punctuation


@dataclass(frozen=True, slots=True)
class ContextRanks:
    """The first place, from 1, whose text holds a right answer, a right title, or both; infinite where none does."""

    answer: float = math.inf
    entity: float = math.inf
    both: float = math.inf


def context_ranks(
    texts: Sequence[str | None], *, answers: Collection[str], titles: Collection[str], depth: int
) -> ContextRanks:
    """Search the first `depth` texts for answers and titles, both normalised."""
    answer, entity = math.inf, math.inf
    answer_clues, title_clues = _clues(answers), _clues(titles)
    for place, text in enumerate(texts[:depth], start=1):
        if text is None:
            continue
        searched = without_punctuation(text)
        has_answer, has_entity = _holds(searched, answer_clues), _holds(searched, title_clues)
        answer = min(answer, place) if has_answer else answer
        entity = min(entity, place) if has_entity else entity
        if has_answer and has_entity:
            return ContextRanks(answer, entity, place)
    return ContextRanks(answer, entity)


def holds_any(text: str, wanted: Collection[str]) -> bool:
    """Say whether a text holds one of these strings, which are normalised, once it is normalised itself."""
    return _holds(without_punctuation(text), _clues(wanted))


def _clues(wanted: Collection[str]) -> dict[str, str]:
    return {text: max(text.split(), key=len, default="") for text in wanted}


def _holds(searched: str, clues: Mapping[str, str]) -> bool:
    # Dropping articles never joins words, so a text that lacks a word before it lacks it after, and most texts do.
    likely = [wanted for wanted, word in clues.items() if word in searched]
    if not likely:
        return False
    normalised = without_articles(searched)
    return any(wanted in normalised for wanted in likely)
