"""A small retriever of any collection, for contract tests and your own: the more words are shared, the better."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from reml.contract.collections import Collection
from reml.contract.retrieved import Hits, Queries
from reml.contract.vectors import Int64Array
from reml.text.words import folded, letter_runs


class WordRetriever:
    """Scores an item by the number of distinct words that it shares with a query; reads all items for each search."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection

    def search(self, queries: Queries, k: int) -> Hits:
        """Give the k items that share the most words with each query, [Q, k]; none that shares none."""
        rows = np.tile(self.collection.rows(), (len(queries), 1))
        scores = self.score(queries, rows).numpy()
        return Hits.ranked(np.where(scores > 0, rows, -1), np.where(scores > 0, scores, -np.inf), k)

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Count the words, float32 [Q, K]; -inf for row -1. `ValueError` for queries without texts."""
        if not queries.contents and len(queries):
            raise ValueError(
                "WordRetriever finds by texts, and was asked by states alone: give the contract of a predictor that "
                "asks so an access model of its own."
            )
        scores = torch.full(rows.shape, -torch.inf)
        for query, (text, asked) in enumerate(zip(queries.texts, rows, strict=True)):
            words, places = _words(text), np.flatnonzero(asked >= 0)
            for place, item in zip(places.tolist(), self.collection.get(asked[places]), strict=True):
                scores[query, place] = len(words & _words(item.full_text()))
        return scores


def _words(text: str) -> set[str]:
    return set(letter_runs(folded(text)))
