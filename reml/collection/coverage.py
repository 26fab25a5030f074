"""How much of the gold provenance of examples a collection has: what it lacks, no retriever can find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from reml.collection.evidence import Pages, rows_holding
from reml.contract.examples import Example, Json, Provenance


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts over examples.

    examples: all. judged: those with provenance. complete: judged ones of which an output has all its places held.
    places: distinct ones of each example. held: places that an item holds. absent: their page is not there. outside:
    the page is there and no item holds the characters (past the end of the page, or white space). rows: items
    that hold a place, over all held places.
    """

    examples: int = 0
    judged: int = 0
    complete: int = 0
    places: int = 0
    held: int = 0
    absent: int = 0
    outside: int = 0
    rows: int = 0

    def __add__(self, other: Coverage) -> Coverage:
        mine, others = asdict(self), asdict(other)
        return Coverage(**{name: mine[name] + others[name] for name in mine})

    @property
    def share(self) -> float:
        """The share of the places that are held; 1 if there are none."""
        return self.held / self.places if self.places else 1.0

    def to_json(self) -> dict[str, Json]:
        """Give the counts by name."""
        return dict(asdict(self))


def coverage(pages: Pages, examples: Iterable[Example]) -> Coverage:
    """Count what of the examples' provenance is there, one example in memory at a time."""
    total = Coverage()
    for example in examples:
        total += _of_example(pages, example)
    return total


def _of_example(pages: Pages, example: Example) -> Coverage:
    places = dict.fromkeys(_place(place) for output in example.output for place in output.provenance)
    if not places:
        return Coverage(examples=1)
    rows = {place: len(rows_holding(pages, place)) for place in places}
    lost = [place for place, count in rows.items() if not count]
    absent = sum(not pages.by_page(place.wikipedia_id) for place in lost)
    outputs = [output.provenance for output in example.output if output.provenance]
    return Coverage(
        examples=1,
        judged=1,
        complete=int(any(all(rows[_place(place)] for place in output) for output in outputs)),
        places=len(places),
        held=len(places) - len(lost),
        absent=absent,
        outside=len(lost) - absent,
        rows=sum(rows.values()),
    )


def _place(place: Provenance) -> Provenance:
    """Keep where a place is, so that it can be a key."""
    return Provenance(
        place.wikipedia_id.strip(),
        None,
        place.start_paragraph_id,
        place.start_character,
        place.end_paragraph_id,
        place.end_character,
    )
