"""A storage handler: what a predictor writes becomes items of the collection it retrieves from."""

from __future__ import annotations

import numpy as np

from reml.access.encoded_retriever import EncodedRetriever
from reml.collection.disk import DiskCollection
from reml.contract.access import Entries
from reml.contract.retrievers import Encoder
from reml.contract.vectors import Int64Array


class CollectionMemory:
    """Appends texts to a collection and makes them findable by a retriever over it.

    The collection keeps them on disk; the retriever's index takes them in memory, so what was stored by an earlier
    process is found after its folder is built again.
    """

    def __init__(self, collection: DiskCollection, retriever: EncodedRetriever[Encoder]) -> None:
        self._collection = collection
        self._retriever = retriever

    def store(self, entries: Entries) -> Int64Array:
        """Keep the texts of entries, each a page of its own; give their row ids, int64 [n]."""
        if not len(entries):
            return np.empty(0, dtype=np.int64)
        rows = self._collection.append_texts(entries.contents)
        self._retriever.extend(self._collection.get(rows))
        return rows
