"""Counts of titles apart from those of texts, joined under any weight of the title: the simple BM25F.

Robertson, Zaragoza and Taylor, "Simple BM25 Extension to Multiple Weighted Fields" (CIKM 2004,
https://doi.org/10.1145/1031171.1031181): an item is taken as one in which the title stands `title_weight` times,

    count = title_weight x count in the title + count in the text

and its length, and with it the average length, likewise; what BM25 makes of counts and lengths stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from reml.contract.examples import Item
from reml.contract.vectors import Int32Array, Int64Array
from reml.text.analysis import TermCounts

Float64Array = npt.NDArray[np.float64]


def field_texts(items: Iterable[Item]) -> Iterator[str]:
    """Give each item's title and behind it its text: in this order terms get the same numbers as in BM25."""
    return (text for item in items for text in (item.title, item.text))


@dataclass(frozen=True, eq=False, slots=True)
class WeightedCounts:
    """How often terms stand in items, as `TermCounts` says it, with titles that count more or less than texts."""

    indptr: Int64Array
    numbers: Int32Array
    counts: Float64Array
    lengths: Float64Array

    @classmethod
    def of(cls, fields: TermCounts, title_weight: float) -> Self:
        """Join the counts of `field_texts`, two rows for each item; terms that then count 0 are left out."""
        from scipy.sparse import csr_array  # which takes long to load

        shape = (len(fields.lengths), int(fields.numbers.max(initial=0)) + 1)
        counts = csr_array((fields.counts.astype(np.float64), fields.numbers, fields.indptr), shape=shape)
        joined = title_weight * counts[::2] + counts[1::2]  # [2n, V] -> [n, V]
        lengths: Float64Array = title_weight * fields.lengths[::2].astype(np.float64) + fields.lengths[1::2]
        return cls(joined.indptr.astype(np.int64), joined.indices.astype(np.int32), joined.data, lengths)
