from __future__ import annotations

import numpy as np

from reml.benchmarks.speed.workloads.corpus import SyntheticCorpus


def test_has_the_statistics_of_text_and_is_the_same_for_a_seed() -> None:
    corpus = SyntheticCorpus(5_000, terms=100_000)
    ((rows, counts),) = corpus.passages()
    assert rows.tolist() == list(range(5_000))
    assert 95 < counts.lengths.mean() < 105
    assert 0.75 < len(counts.numbers) / counts.lengths.sum() < 0.92, "distinct terms of a passage"
    frequencies = np.bincount(counts.numbers, minlength=100_000)
    assert frequencies[0] > 0.4 * 5_000, "the most common term"
    # Zipf: ten times the rank, a tenth of the frequency.
    assert 7 < frequencies[90:110].mean() / frequencies[990:1100].mean() < 13
    ((_, again),) = SyntheticCorpus(5_000, terms=100_000).passages()
    np.testing.assert_array_equal(counts.numbers, again.numbers)
    ((_, other),) = SyntheticCorpus(5_000, terms=100_000, seed=1).passages()
    assert len(other.numbers) != len(counts.numbers)


def test_natural_queries_touch_more_postings_than_short_ones() -> None:
    corpus = SyntheticCorpus(5_000, terms=100_000)
    ((_, counts),) = corpus.passages()
    frequencies = np.bincount(counts.numbers, minlength=100_000)
    short, natural = (
        np.mean([frequencies[query].sum() for query in queries])
        for queries in (corpus.short_queries(200), corpus.natural_queries(200))
    )
    assert natural > 3 * short > 0
    assert all((np.diff(query) > 0).all() for query in corpus.natural_queries(50))
