"""Evidence is retrieved if an item read overlaps its place."""

from __future__ import annotations

import numpy as np
import pytest

from reml.contract.examples import Answer, Example, Provenance
from reml.contract.retrieved import Hits
from reml.testing import MemoryCollection
from reml.training.data.relevance_sampling import evidence_retrieved

COLLECTION = MemoryCollection(["Lima is the capital.", "Oslo is cold."])  # pages "0" and "1", paragraph 1


def place(page: str, paragraph: int, start: int, stop: int) -> Provenance:
    return Provenance(
        page, start_paragraph_id=paragraph, start_character=start, end_paragraph_id=paragraph, end_character=stop
    )


@pytest.mark.parametrize(
    ("provenance", "expected"),
    [
        (place("0", 1, 0, 4), True),
        (place("0", 1, 20, 30), False),  # begins where the item ends
        (place("0", 2, 0, 4), False),
        (place("1", 1, 0, 4), False),  # another page
        (place("0", 0, 0, 4), True),  # the title, which stands on every item
        (Provenance("0"), True),  # the whole page
    ],
)
def test_overlap_with_the_place_of_the_evidence(provenance: Provenance, expected: bool) -> None:
    example = Example("1", "?", (Answer("Lima", (provenance,)),))
    hits = Hits(np.array([[0, -1]]), np.array([[1, -np.inf]], dtype=np.float32))
    assert evidence_retrieved(COLLECTION, [example], hits).tolist() == [expected]
