"""Learned sparse vectors with the statistics of SPLADE's and of SNRM's, drawn at random, of any number.

Dimensions follow Zipf's law as Mandelbrot shifted it, flatter than words do; weights are gamma distributed with shape
2, so that most are small and none is zero. What the laws below aim at, for a million items:

    SPLADE-like   164 non-zeros an item, 795,000 postings touched by a query
    SNRM-like      65 non-zeros an item, 147,000 postings touched by a query
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from reml.benchmarks.speed.workloads.zipf import zipf_ranks
from reml.contract.vectors import Int64Array, SparseVectors
from reml.text.analysis import STOPPED
from reml.text.count_kernel import count_terms

BATCH = 50_000
SHAPE = 2.0


@dataclass(frozen=True, slots=True)
class VectorLaw:
    """How vectors are drawn: dimensions, the shift of Zipf's law, draws for an item, draws for a query (low, high).

    A dimension that is drawn twice counts once, so that a vector has slightly fewer non-zeros than draws.
    """

    width: int
    shift: float
    item_draws: int
    query_draws: tuple[int, int]
    scale: float


SPLADE = VectorLaw(width=30_522, shift=500.0, item_draws=165, query_draws=(32, 53), scale=0.5)
SNRM = VectorLaw(width=20_000, shift=400.0, item_draws=65, query_draws=(10, 20), scale=0.2)


@dataclass(frozen=True, slots=True)
class SyntheticVectors:
    """`rows` vectors of a law, dimension 0 the most common one."""

    rows: int
    law: VectorLaw
    seed: int = 0

    def batches(self) -> Iterator[SparseVectors]:
        """Yield the vectors of the items in batches, row 0 first."""
        for first in range(0, self.rows, BATCH):
            count = min(BATCH, self.rows - first)
            generator = np.random.default_rng((self.seed, first))
            draws = np.clip(generator.normal(self.law.item_draws, self.law.item_draws / 5, count), 1, None)
            yield self._drawn(generator, np.rint(draws).astype(np.int64))

    def queries(self, count: int) -> Mapping[str, SparseVectors]:
        """Draw `count` queries, independent of the items."""
        generator = np.random.default_rng((self.seed, self.rows, 1))
        return {"encoded": self._drawn(generator, generator.integers(*self.law.query_draws, size=count))}

    def _drawn(self, generator: np.random.Generator, draws: Int64Array) -> SparseVectors:
        ranks = zipf_ranks(generator, int(draws.sum()), self.law.width, self.law.shift)
        indptr, dimensions, _, _ = count_terms(ranks, draws, STOPPED)
        weights = generator.standard_gamma(SHAPE, len(dimensions), dtype=np.float32) * np.float32(self.law.scale)
        return SparseVectors(indptr, dimensions, weights, self.law.width)
