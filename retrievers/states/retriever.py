"""Finds token positions by the distance of states."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import Tensor

from reml.access.query_states import representations
from reml.access.similarity import as_tensor, at, similarities
from reml.contract.retrieved import Hits, Queries, given_queries
from reml.contract.retrievers import Index
from reml.contract.vectors import Int64Array, SparseVectors
from reml.retrievers.states.positions import Positions
from reml.text.state_encoder import StateEncoder


@final
class StatesRetriever:
    """Finds the token positions whose states are nearest to a state, or to that at the last token of a text.

    encoder: makes states of texts; states that are given are searched as they are.
    """

    def __init__(self, collection: Positions, encoder: StateEncoder, index: Index) -> None:
        self.collection, self.encoder, self.index = collection, encoder, index

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k nearest of each query, [Q, k], scored by the negative squared distance; a blank text has none."""
        if k < 1:
            raise ValueError(f"k is a number of positions, 1 or more, not {k}.")
        queries = given_queries(queries)
        if queries.states is not None:
            self._check_width(queries)
            return self.index.search(representations(queries.states), k)
        asked = queries.asking
        found = Hits.empty(len(queries), k)
        if asked:
            nearest = self.index.search(self.encoder.encode_queries([queries.said[place] for place in asked]), k)
            found.rows[asked], found.scores[asked] = nearest.rows, nearest.scores
        return found

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Compute the scores of given rows [Q, K] from the states kept, with the gradient of states that have one."""
        if queries.states is not None:
            self._check_width(queries)
        states = queries.states if queries.states is not None else self.encoder.encode_queries(queries.said)
        there = rows >= 0
        distinct = np.unique(rows[there])
        asked = as_tensor(states).float()
        keys = torch.from_numpy(np.asarray(self.collection.keys[distinct], dtype=np.float32)).to(asked.device)
        return at(similarities(asked, keys, "l2"), np.where(there, np.searchsorted(distinct, rows), -1))

    def _check_width(self, queries: Queries) -> None:
        states, kept = queries.states, self.collection.keys.shape[1]
        if states is None or isinstance(states, SparseVectors):
            raise ValueError(
                "a datastore of states is asked with states [Q, D] or with texts, not with sparse vectors."
            )
        width = states.shape[-1] if isinstance(states, Tensor) else states.width
        if width != kept:
            raise ValueError(
                f"the states asked with have width {width}, and those of the datastore {kept}: ask with the states of "
                "the model that the datastore was built with, or build it again with the model that asks "
                "(`model` of States)."
            )
