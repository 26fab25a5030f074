"""The index that a training run searches while its encoder learns: which vectors are in use, and how old each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import final

import numpy as np
import torch
from torch import Tensor

from reml.access.encoded_retriever import EncodedRetriever
from reml.access.filtering import search_within
from reml.access.query_side import QuerySideEncoder
from reml.access.similarity import EncoderScorer
from reml.contract.retrieved import Hits, Queries, room_for
from reml.contract.retrievers import Index, TrainableEncoder
from reml.contract.vectors import Int64Array, Representations


@final
class LiveIndex:
    """Searches with an encoder as it is now, over vectors that earlier states of it made.

    retriever: as training begins; its encoder is the one that learns. A vector's age is the number of steps that the
    encoder has learnt since it made the vector; where queries alone learn (`QuerySideEncoder`), no vector ages.
    """

    def __init__(self, retriever: EncodedRetriever[TrainableEncoder]) -> None:
        self.collection, self.encoder = retriever.collection, retriever.encoder
        self._anew = EncoderScorer(self.encoder, gradient=False)
        self.replaced = 0  # vectors, since the index was made as a whole
        self._first, self._retriever = retriever.index, retriever
        self._rows = retriever.collection.rows()
        self._made = np.zeros(len(self._rows), dtype=np.int64)  # the encoder's step, for each of the rows
        self._mean_made = 0.0
        self._times: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._rows)

    def search(self, queries: Queries, k: int, *, reembed: int | None = None) -> Hits:
        """Give the k best items of each query, [B, k].

        What a query may not find (`Queries.only`) it does not. With `reembed`, as many are retrieved and encoded anew,
        without dropout, and the best k of these are given.
        """
        hits = search_within(self._retriever, queries, reembed or k)
        if reembed is None:
            return hits
        fresh = EncodedRetriever(self.collection, self.encoder, self._retriever.index, self._anew)
        return Hits.ranked(hits.rows, fresh.score(queries, hits.rows).numpy(), room_for(k, len(self)))

    def swap(self, index: Index, step: int) -> None:
        """Search this index from now on; the encoder of `step` made all its vectors."""
        self._retriever = EncodedRetriever(self.collection, self.encoder, index)
        self._made[:] = step
        self._mean_made, self.replaced = float(step), 0
        self._times.clear()

    def reset(self) -> None:
        """Search the index again that it came with, and let go of all others."""
        self.swap(self._first, 0)

    def replace(self, rows: Int64Array, vectors: Representations, step: int) -> None:
        """Give these rows the vectors that the encoder of `step` made. The index must be this run's own."""
        self._retriever.index.delete(rows)
        self._retriever.index.add(rows, vectors)
        self._made[self._places(rows)] = step
        self._mean_made = float(self._made.mean())
        self.replaced += len(rows)
        for row in rows.tolist():
            self._times.pop(row, None)

    def age(self, step: int) -> float:
        """Give the mean age of all vectors when the encoder has learnt for `step` steps."""
        return step - self._mean_made if self._ages else 0.0

    def age_of(self, rows: Int64Array, step: int) -> float:
        """Give the mean age of the vectors of these rows, -1 left out; 0 if there are none."""
        places = self._places(rows[rows >= 0])
        return float(step - self._made[places].mean()) if self._ages and len(places) else 0.0

    def count(self, rows: Int64Array) -> None:
        """Note that these rows were retrieved, -1 left out."""
        distinct, times = np.unique(rows[rows >= 0], return_counts=True)
        self._times.update(dict(zip(distinct.tolist(), times.tolist(), strict=True)))

    def most_retrieved(self, count: int) -> Int64Array:
        """Give at most `count` rows that were retrieved most since their vectors were made; ascending, ties by row."""
        ranked = sorted(self._times, key=lambda row: (-self._times[row], row))
        return np.array(sorted(ranked[:count]), dtype=np.int64)

    def state_dict(self) -> dict[str, Tensor]:
        """Give how often rows were retrieved; vectors are kept by `IndexVersions`."""
        rows = sorted(self._times)
        return {"rows": torch.tensor(rows), "times": torch.tensor([self._times[row] for row in rows])}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Go on counting from there."""
        self._times = Counter(dict(zip(state["rows"].tolist(), state["times"].tolist(), strict=True)))

    @property
    def _ages(self) -> bool:
        return not isinstance(self.encoder, QuerySideEncoder)

    def _places(self, rows: Int64Array) -> Int64Array:
        return np.searchsorted(self._rows, rows)
