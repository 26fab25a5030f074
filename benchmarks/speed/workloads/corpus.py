"""Passages and queries with the statistics of English text, as term numbers, of any size and the same for each seed.

Terms follow Zipf's law as Mandelbrot shifted it, p(rank) ~ 1 / (rank + SHIFT); lengths are normal; and a term that has
been used in a passage comes again more often than its share of the corpus (bursts), so that counts above 1 are as
common as in text. At the defaults a passage has 100 tokens, about 80 of them distinct.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reml.benchmarks.speed.workloads.zipf import zipf_ranks
from reml.contract.vectors import Int32Array, Int64Array
from reml.index.compiling import kernel
from reml.text.analysis import STOPPED, TermCounts
from reml.text.count_kernel import count_terms

SHIFT = 10.0
BATCH = 50_000
# The share of tokens that repeat an earlier one of their passage.
BURST = 0.12


@dataclass(frozen=True, slots=True)
class SyntheticCorpus:
    """`rows` passages over a vocabulary of `terms`, term 0 the most common one."""

    rows: int
    terms: int = 500_000
    length: int = 100
    seed: int = 0

    @property
    def width(self) -> int:
        """The number of terms."""
        return self.terms

    def token_batches(self) -> Iterator[tuple[Int32Array, Int64Array]]:
        """Yield passages in batches: their tokens, one passage behind the other, and the lengths of the passages."""
        for first in range(0, self.rows, BATCH):
            count = min(BATCH, self.rows - first)
            generator = np.random.default_rng((self.seed, first))
            lengths = np.clip(generator.normal(self.length, self.length / 4, count), 10, None).astype(np.int64)
            tokens = self._tokens(generator, int(lengths.sum()))
            repeat(tokens, lengths, generator.random(len(tokens)), BURST)
            yield tokens, lengths

    def passages(self) -> Iterator[tuple[Int64Array, TermCounts]]:
        """Yield (row ids, term counts) in batches."""
        first = 0
        for tokens, lengths in self.token_batches():
            yield np.arange(first, first + len(lengths)), TermCounts(*count_terms(tokens, lengths, STOPPED))
            first += len(lengths)

    def queries(self, count: int) -> Mapping[str, list[Int32Array]]:
        """Draw `count` queries of each kind."""
        return {"short": self.short_queries(count), "natural": self.natural_queries(count)}

    def short_queries(self, count: int) -> list[Int32Array]:
        """Draw 2 to 4 words as often as text has them, without the 10 most common ones."""
        return self._queries(count, sizes=(2, 5), skipped=10, seed=1)

    def natural_queries(self, count: int) -> list[Int32Array]:
        """Draw 10 to 18 words as text has them, common ones included."""
        return self._queries(count, sizes=(10, 19), skipped=0, seed=2)

    def _queries(self, count: int, *, sizes: tuple[int, int], skipped: int, seed: int) -> list[Int32Array]:
        generator = np.random.default_rng((self.seed, self.rows, seed))
        queries: list[Int32Array] = []
        while len(queries) < count:
            drawn = self._tokens(generator, 40)
            distinct = drawn[drawn >= skipped][: generator.integers(*sizes)]
            queries.append(np.unique(distinct))
        return queries

    def _tokens(self, generator: np.random.Generator, count: int) -> Int32Array:
        return zipf_ranks(generator, count, self.terms, SHIFT)


@kernel
def repeat(
    tokens: Int32Array, lengths: Int64Array, shares: npt.NDArray[np.float64], burst: float
) -> None:  # pragma: no cover - compiled
    """Replace a share of `burst` of the tokens by an earlier token of the same passage."""
    start = 0
    for length in lengths:
        for place in range(1, length):
            if shares[start + place] < burst:
                tokens[start + place] = tokens[start + int(shares[start + place] / burst * place)]
        start += length
