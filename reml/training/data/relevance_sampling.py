"""Which examples can be learnt from: those of which the evidence was retrieved.

Hofstaetter, Chen, Raman and Zamani, "Multi-Task Retrieval-Augmented Text Generation with Relevance Sampling", 2022,
https://arxiv.org/abs/2207.03030. There, examples are kept by the overlap of a passage with the evidence (KILT's BLEU);
here by whether an item read overlaps the place of the evidence, which KILT's records give.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from reml.access.responses import gather
from reml.collection.evidence import holds
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Hits


def evidence_retrieved(collection: Collection, examples: Sequence[Example], hits: Hits) -> npt.NDArray[np.bool_]:
    """Tell of each example whether one of its items overlaps a place that a right answer comes from, [B]."""
    items = gather(collection, hits).items
    return np.array(
        [
            any(holds(item, place) for answer in example.output for place in answer.provenance for item in found)
            for example, found in zip(examples, items, strict=True)
        ],
        dtype=np.bool_,
    )
