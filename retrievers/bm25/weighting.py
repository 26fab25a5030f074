"""The formula of BM25 in five variants, and sparse vectors of the weights it gives to counts."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from reml.contract.vectors import Int32Array, Int64Array, SparseVectors
from reml.files.atomic import digest
from reml.retrievers.bm25.fields import Float64Array, WeightedCounts
from reml.text.analysis import TermCounts

Variant = Literal["robertson", "lucene", "atire", "bm25l", "bm25+"]


@dataclass(frozen=True, slots=True)
class Weighting:
    """The formula of BM25: a variant and its parameters, and how often a title counts, where it is counted apart."""

    variant: Variant
    k1: float
    b: float
    delta: float
    title_weight: float = 1.0

    @property
    def fingerprint(self) -> str:
        """A digest of the settings; without a title weight of 1, as impacts were named before there was one."""
        settings = asdict(self)
        if self.title_weight == 1:
            del settings["title_weight"]
        return digest("bm25 weighting", settings)

    @property
    def absent(self) -> float:
        """The gain from a term that the item does not have: tfc(0)."""
        if self.variant == "bm25l":
            return (self.k1 + 1) * self.delta / (self.k1 + self.delta) if self.delta else 0.0
        return self.delta if self.variant == "bm25+" else 0.0

    def idf(self, frequencies: Int64Array, items: int) -> Float64Array:
        """Weigh terms by how many of `items` items have them; a term that none has weighs 0."""
        df = np.maximum(frequencies, 1)
        ratio = {
            "robertson": np.maximum((items - df + 0.5) / (df + 0.5), 1.0),
            "lucene": 1 + (items - df + 0.5) / (df + 0.5),
            "atire": items / df,
            "bm25l": (items + 1) / (df + 0.5),
            "bm25+": (items + 1) / df,
        }[self.variant]
        return np.where(frequencies > 0, np.log(ratio), 0.0)

    def gain(self, counts: Int32Array | Float64Array, lengths: Float64Array) -> Float64Array:
        """Give tfc(count) - tfc(0) for items of these lengths, as a share of the average length."""
        norm = 1 - self.b + self.b * lengths
        if self.variant == "bm25l":
            lifted = counts / norm + self.delta
            return (self.k1 + 1) * lifted / (self.k1 + lifted) - self.absent
        scale = 1.0 if self.variant in {"robertson", "lucene"} else self.k1 + 1
        return scale * counts / (counts + self.k1 * norm)

    def weigh(self, counts: TermCounts | WeightedCounts, average: float, width: int) -> SparseVectors:
        """Turn the counts of items into vectors of gains; `average` is the average length of all items."""
        lengths = np.repeat(counts.lengths / average, np.diff(counts.indptr)).astype(np.float64)
        gains = self.gain(counts.counts, lengths).astype(np.float32)
        return SparseVectors(counts.indptr, counts.numbers, gains, width)
