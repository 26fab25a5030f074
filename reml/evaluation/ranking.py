"""Measures of the pages that a prediction gives as provenance, as KILT computes them.

Several pages together may be one sufficient piece of evidence (an evidence set: the two pages of a multi-hop question).
In the ranking such a set takes one place: that of its last page.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


def r_precision(pages: Sequence[str], page_sets: Sequence[frozenset[str]]) -> float:
    """Give the best share, over sets of R right pages, of them that are among the first R pages; pages are distinct."""
    return max((len(right.intersection(pages[: len(right)])) / len(right) for right in page_sets if right), default=0.0)


def evidence_ranks(pages: Sequence[str], evidence_sets: Sequence[frozenset[str]]) -> list[int]:
    """Give the places, from 1 and ascending, at which an evidence set is complete; those never complete are left out.

    Pages are distinct, best first. A page that belongs to no set takes a place of its own. A page that belongs to
    several takes one in each; one of an incomplete set gives its place up when the next page of the set is found.
    """
    known = frozenset().union(*evidence_sets)
    if known.isdisjoint(pages):
        return []
    missing = [set(pages) for pages in evidence_sets]
    places: list[int] = []  # the number of the set that holds a place, or -1
    complete = -2
    for page in pages:
        touched = [number for number, rest in enumerate(missing) if page in rest] if page in known else ()
        for number in touched:
            if number in places:
                places.remove(number)
            missing[number].remove(page)
            places.append(number if missing[number] else complete)
        if not touched:
            places.append(-1)
    return [place for place, holder in enumerate(places, start=1) if holder == complete]


def precision_at(depth: int, ranks: Sequence[int]) -> float:
    """Give the share of the first `depth` places that complete an evidence set."""
    return _found(depth, ranks) / depth


def recall_at(depth: int, ranks: Sequence[int], evidence_sets: Sequence[frozenset[str]]) -> float:
    """Give the share of the evidence sets that are complete within the first `depth` places; 0 if there are none."""
    return _found(depth, ranks) / len(evidence_sets) if evidence_sets else 0.0


def success_at(depth: int, ranks: Sequence[int]) -> float:
    """Give 1 if some evidence set is complete within the first `depth` places, else 0."""
    return float(_found(depth, ranks) > 0)


def scores_at(
    depths: Sequence[int], pages: Sequence[str], evidence_sets: Sequence[frozenset[str]]
) -> tuple[list[float], list[float], list[float]]:
    """Give precision, recall and success at each depth; pages are distinct, best first."""
    ranks = evidence_ranks(pages, evidence_sets)
    return (
        [precision_at(depth, ranks) for depth in depths],
        [recall_at(depth, ranks, evidence_sets) for depth in depths],
        [success_at(depth, ranks) for depth in depths],
    )


def _found(depth: int, ranks: Sequence[int]) -> int:
    return bisect_right(ranks, depth)
