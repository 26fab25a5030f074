"""A memory as one session sees it: what it wrote at once, what others wrote once that is committed."""

from __future__ import annotations

from typing import final

import numpy as np

from reml.contract.access import Entries, StorageHandler
from reml.contract.retrievers import Retriever
from reml.contract.vectors import Int64Array


@final
class SessionStorage:
    """The storage of one session; `RuntimeError` where two sessions write by turns: one batch comes after the other."""

    def __init__(self, storage: StorageHandler) -> None:
        self._storage = storage
        self._own = np.empty(0, dtype=np.int64)

    @property
    def retriever(self) -> Retriever:
        """What finds in the memory."""
        return self._storage.retriever

    @property
    def pending(self) -> Int64Array:
        """Rows that other sessions wrote and did not commit."""
        return np.setdiff1d(self._storage.pending, self._own)

    def store(self, entries: Entries) -> Int64Array:
        """Keep entries of this session."""
        if len(others := self.pending):
            raise RuntimeError(
                f"another session wrote {len(others)} entries that are not committed: batches that write into one "
                "memory come one after the other. Commit the other batch first, or give each its own memory."
            )
        rows = self._storage.store(entries)
        self._own = np.concatenate([self._own, rows])
        return rows

    def commit(self) -> int:
        """Commit what this session wrote."""
        return self._storage.commit()
