"""Whether the text of the provenance holds the answer or names a right page, as KILT computes it.

The text is searched after normalisation and as a string, so that "art" is found in "start": this is KILT's definition.
Places are counted as given, pages that come twice included.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from reml.evaluation.answers import normalise


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
    for place, text in enumerate(texts[:depth], start=1):
        if text is None:
            continue
        searched = normalise(text)
        has_answer = any(wanted in searched for wanted in answers)
        has_entity = any(wanted in searched for wanted in titles)
        answer = min(answer, place) if has_answer else answer
        entity = min(entity, place) if has_entity else entity
        if has_answer and has_entity:
            return ContextRanks(answer, entity, place)
    return ContextRanks(answer, entity)
