from __future__ import annotations

import numpy as np
import pytest

from reml.retrievers.bm25.fields import WeightedCounts, field_texts
from reml.testing import MemoryCollection
from reml.text.analysis import Analyser, Vocabulary

COLLECTION = MemoryCollection(["dog dog bird", "", "fish cat"], titles=["cat dog", "eel", ""])


def joined(collection: MemoryCollection, title_weight: float) -> tuple[list[dict[str, float]], list[float]]:
    vocabulary = Vocabulary(Analyser(stemmer="none"))
    counts = WeightedCounts.of(vocabulary.learn(field_texts(collection.get(collection.rows()))), title_weight)
    assert counts.numbers.dtype == np.int32
    assert counts.indptr.dtype == np.int64
    parts = [slice(start, stop) for start, stop in zip(counts.indptr, counts.indptr[1:], strict=False)]
    assert all((np.diff(counts.numbers[part]) > 0).all() for part in parts), "ascending, as the impact index asks"
    items = [
        {vocabulary.terms[n]: c for n, c in zip(counts.numbers[part], counts.counts[part], strict=True)}
        for part in parts
    ]
    return items, counts.lengths.tolist()


@pytest.mark.parametrize("weight", [0.5, 1.0, 3.0])
def test_a_title_counts_so_often(weight: float) -> None:
    items, lengths = joined(COLLECTION, weight)
    assert items == [{"cat": weight, "dog": weight + 2, "bird": 1}, {"eel": weight}, {"fish": 1, "cat": 1}]
    assert lengths == [2 * weight + 3, weight, 2]


def test_at_weight_0_terms_of_titles_are_not_there() -> None:
    assert joined(COLLECTION, 0.0) == ([{"dog": 2, "bird": 1}, {}, {"fish": 1, "cat": 1}], [3, 0, 2])


def test_no_items_and_no_terms() -> None:
    assert joined(MemoryCollection([]), 2.0) == ([], [])
    assert joined(MemoryCollection(["", "the"], ["of", ""]), 2.0) == ([{}, {}], [0, 0])
