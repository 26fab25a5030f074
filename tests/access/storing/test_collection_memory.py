"""Category 2: a predictor stores and later retrieves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.information_access import InformationAccess
from reml.access.storing.collection_memory import CollectionMemory
from reml.collection.disk import create_collection
from reml.contract.access import Entries
from reml.contract.examples import Example, Item
from reml.contract.vectors import Similarity, SparseVectors
from reml.index.impact import ImpactIndex

WORDS = ("red", "green", "blue", "ball", "door")


class Words:
    """Counts of five words."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "words"

    def encode_queries(self, texts: Sequence[str]) -> SparseVectors:
        chosen = [[number for number, word in enumerate(WORDS) if word in text.split()] for text in texts]
        indptr = np.cumsum([0, *map(len, chosen)], dtype=np.int64)
        flat = np.array([number for row in chosen for number in row], dtype=np.int32)
        return SparseVectors(indptr, flat, np.ones(len(flat), dtype=np.float32), len(WORDS))

    def encode_items(self, items: Sequence[Item]) -> SparseVectors:
        return self.encode_queries([item.text for item in items])


def test_what_was_stored_is_retrieved(tmp_path: Path) -> None:
    collection = create_collection(tmp_path / "memory")
    retriever = EncodedRetriever(collection, Words(), ImpactIndex(len(WORDS)))
    access = InformationAccess(retriever, storage=CollectionMemory(collection, retriever))
    assert access.category == 2
    assert access.store(Entries(np.arange(0))).shape == (0,)
    rows = access.store(Entries(np.arange(2), ("the red ball", "the blue door")))
    found = access([Example("1", "which door")], k=1)
    assert found.rows.tolist() == [[rows[1]]]
    assert found.items[0][0].text == "the blue door"
