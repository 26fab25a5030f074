"""Batches of neighbours: in-batch negatives are hard where the examples of a batch are near each other.

Xu et al., "VideoCLIP: Contrastive Pre-training for Zero-shot Video-Text Understanding", EMNLP 2021, section 3.3,
https://arxiv.org/abs/2109.14084: a batch is a random example and those that an index finds near it. With the lists that
a retriever finds itself in `rounds`, they are hard negatives found anew as it learns, as ANCE's.

    train:
      negatives: bm25                     # whose hits say what is near
      random_negatives: 1.0               # wrong items beside labels come from anywhere: hits choose batches alone
      objective: {class_path: reml.feedback.contrastive.Contrastive}
      sampler: {class_path: reml.training.data.neighbours.Neighbours}

Deviations: examples are near by the hits they share, so that no vectors need be kept; an epoch is a partition, so that
every example comes as often as any other, where VideoCLIP draws batches that may overlap. The last batches of a
partition hold what is left and is less near; batches are shuffled, so that they come anywhere in the epoch.

Measured on the World Factbook's questions: two examples of a batch of 16 share 2.5 of BM25's first 10 hits, 0.1 in
uniform ones. It did not help there. all-MiniLM-L6-v2 (64 tokens), 60 steps of 16, temperature 0.05, rate 3e-5, random
wrong items, ranking 1,929 passages for 150 dev questions, two seeds:

                 recall@1      recall@5      recall@20      MRR
    neighbours   0.43, 0.41    0.74, 0.73    0.99, 0.99     0.573, 0.564
    uniform      0.45, 0.46    0.79, 0.79    0.99, 0.99     0.598, 0.610
    untrained    0.57          0.85          0.95           0.686

Published (VideoCLIP): not run. An epoch of 400,000 examples with 10 hits each took 11 s to order on one busy core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from reml.contract.arguments.checked import checked
from reml.contract.vectors import Int64Array
from reml.training.data.samplers import Population, Sampler


@checked()
@dataclass(frozen=True)
class Neighbours:
    """Settings of batches whose examples are near each other: `NeighbourBatches`.

    hits: two examples are the nearer the more items the first so many hits of both have in common.
    """

    hits: int = 10

    def __post_init__(self) -> None:
        if self.hits < 1:
            raise ValueError(f"hits is {self.hits}, but examples are near by 1 or more hits.")

    def make(self, population: Population) -> Sampler:
        """Make the sampler of these examples; `ValueError` where nothing was found for them, or they fill no batch."""
        return NeighbourBatches(population.found(self.hits).rows, population.batch)


@dataclass(frozen=True, eq=False)
class NeighbourBatches:
    """An epoch of batches, each a random example and the free ones that share most hits with it.

    rows: of what was found for each example, int64 [N, K], -1 pads. Where fewer share a hit than a batch has room for,
    others fill it. Of N examples, N modulo `batch` random ones are left out of an epoch, so that all batches are full.
    """

    rows: Int64Array
    batch: int

    def __post_init__(self) -> None:
        if not 1 <= self.batch <= len(self.rows):
            raise ValueError(f"{len(self.rows)} examples fill no batch of {self.batch}: lower training.batch_size.")

    def __len__(self) -> int:
        return len(self.rows) // self.batch * self.batch

    def epoch(self, seed: int, number: int) -> Int64Array:
        """Give the positions of `len(self)` distinct examples, batch after batch."""
        generator = np.random.default_rng((seed, number))
        order = generator.permutation(len(self.rows))[: len(self)]
        batches = np.stack(list(self._batches(order)))
        return batches[generator.permutation(len(batches))].reshape(-1)

    def _batches(self, order: Int64Array) -> Iterator[Int64Array]:
        """Go through examples in an order; ties in nearness, and what fills a batch, come by it too."""
        turn = np.full(len(self.rows), -1, dtype=np.int64)  # -1: not free
        turn[order] = np.arange(len(order))
        free = (example for example in order if turn[example] >= 0)
        for first in free:
            turn[first] = -1
            near = self._near(first, turn)
            turn[near] = -1
            later = np.fromiter(islice(free, self.batch - 1 - len(near)), dtype=np.int64)
            turn[later] = -1
            yield np.concatenate([[first], near, later])

    def _near(self, example: int, turn: Int64Array) -> Int64Array:
        """Give at most `batch` - 1 free examples that share hits with one, most first."""
        starts, owners = self._sharing
        found = np.searchsorted(self._items, self._held(self.rows[example]))
        sharing = np.concatenate([owners[:0], *(owners[starts[one] : starts[one + 1]] for one in found)])
        others, shared = np.unique(sharing[turn[sharing] >= 0], return_counts=True)
        return others[np.lexsort((turn[others], -shared))][: self.batch - 1]

    @cached_property
    def _items(self) -> Int64Array:
        """The distinct rows found, ascending."""
        return np.unique(self._held(self.rows))

    @cached_property
    def _sharing(self) -> tuple[Int64Array, Int64Array]:
        """The examples that each item was found for, as CSR: where those of an item start, and all of them."""
        owners, _ = np.nonzero(self.rows >= 0)
        items = np.searchsorted(self._items, self._held(self.rows))
        starts = np.cumsum([0, *np.bincount(items, minlength=len(self._items))])
        return starts, owners[np.argsort(items, kind="stable")]

    @staticmethod
    def _held(rows: Int64Array) -> Int64Array:
        return rows[rows >= 0]
