"""Which examples can be learnt from: those of which the evidence was retrieved.

Hofstaetter, Chen, Raman and Zamani, "Multi-Task Retrieval-Augmented Text Generation with Relevance Sampling", 2022,
https://arxiv.org/abs/2207.03030. There, examples are kept by the overlap of a passage with the evidence (KILT's BLEU);
here by whether an item read overlaps the place of the evidence, which KILT's records give.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reml.protocols import Collection
from reml.responses import gather
from reml.types import Example, Hits, Item, Provenance


def evidence_retrieved(collection: Collection, examples: Sequence[Example], hits: Hits) -> npt.NDArray[np.bool_]:
    """Tell of each example whether one of its items overlaps a place that a right answer comes from, [B]."""
    items = gather(collection, hits).items
    return np.array(
        [
            any(_overlaps(item, place) for answer in example.output for place in answer.provenance for item in found)
            for example, found in zip(examples, items, strict=True)
        ],
        dtype=np.bool_,
    )


def _overlaps(item: Item, place: Provenance) -> bool:
    """Compare (paragraph, character) positions; a place without them is the whole page, and so is the title."""
    if item.page_id != place.wikipedia_id:
        return False
    if place.start_paragraph_id is None or not place.end_paragraph_id:
        return True  # paragraph 0 is the title, which every item carries
    start = (place.start_paragraph_id, place.start_character or 0)
    stop = (place.end_paragraph_id, place.end_character if place.end_character is not None else np.inf)
    span = item.span
    return (span.start_paragraph, span.start_character) < stop and start < (span.end_paragraph, span.end_character)
