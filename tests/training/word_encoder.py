"""The smallest encoder that learns: a text is the mean of the vectors of its words, with dropout if wanted."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reml.contract.examples import Item, Media, texts_of
from reml.contract.vectors import DenseVectors, Similarity
from tests.training.pointing import BUCKETS, bucket


class WordEncoder:
    """Counts the texts of each call in `calls`."""

    similarity: Similarity = "dot"

    def fingerprint(self) -> str:
        return "words"

    def __init__(self, seed: int = 0, dropout: float = 0.0) -> None:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.module = nn.Sequential(nn.Embedding(BUCKETS, 8), nn.Dropout(dropout), nn.Linear(8, 8), nn.Tanh())
        self.calls: list[int] = []

    def query_vectors(self, contents: Sequence[str | Media]) -> Tensor:
        texts = texts_of(contents, self)
        self.calls.append(len(texts))
        words = [torch.tensor([bucket(word) for word in text.split()]) for text in texts]
        return torch.stack([self.module(each).mean(dim=0) for each in words])

    def item_vectors(self, items: Sequence[Item]) -> Tensor:
        return self.query_vectors([item.text for item in items])

    def encode_queries(self, contents: Sequence[str | Media]) -> DenseVectors:
        texts = texts_of(contents, self)
        with torch.no_grad():
            return DenseVectors(self.query_vectors(texts).numpy() if texts else torch.zeros(0, 8).numpy())

    def encode_items(self, items: Sequence[Item]) -> DenseVectors:
        return self.encode_queries([item.text for item in items])
