"""Near-duplicates: of items that say the same in the same words only the best is handed over.

Broder, "On the Resemblance and Containment of Documents", 1997, https://doi.org/10.1109/SEQUEN.1997.666900: texts
resemble each other by the Jaccard index of their shingles, runs of words. Deviation: all pairs of a list are compared,
without sketches, since a list is short.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reml.access.presenting.processors import keep
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count
from reml.contract.examples import Item, canonical
from reml.contract.retrieved import Queries, Responses
from reml.text.words import words


@checked()
@dataclass(frozen=True)
class DistinctTexts:
    """Drops each item that resembles one that is kept before it in the list.

    same: from which Jaccard index on, above 0, at most 1; 1: the same runs of words. run: words of a shingle. Texts
    shorter than a run are told apart by their words as a whole, texts without words letter by letter; items without
    text are all kept.
    """

    same: float = 0.9
    run: Count = 3

    def __post_init__(self) -> None:
        if not 0 < self.same <= 1:
            raise ValueError(f"same is {self.same}: give a Jaccard index above 0, at most 1 (the same runs of words).")

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Drop what was said before."""
        return keep(responses, [self._distinct(items) for items in responses.items])

    def _distinct(self, items: Sequence[Item]) -> list[int]:
        kept: dict[int, frozenset[tuple[str, ...]]] = {}
        for place, item in enumerate(items):
            own = shingles(item.text, self.run)
            if not own or not any(resemblance(own, other) >= self.same for other in kept.values()):
                kept[place] = own
        return list(kept)


def shingles(text: str, run: int) -> frozenset[tuple[str, ...]]:
    """Give the runs of words of a text; the whole of one that is shorter."""
    found = words(text) or list(canonical(text).split())
    return frozenset(tuple(found[start : start + run]) for start in range(max(1, len(found) - run + 1)) if found)


def resemblance(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    """Give the Jaccard index of two sets; 0 if either is empty."""
    shared = len(one & other)
    return shared / max(1, len(one) + len(other) - shared)
