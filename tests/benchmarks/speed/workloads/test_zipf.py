from __future__ import annotations

import numpy as np

from reml.benchmarks.speed.workloads.zipf import zipf_ranks


def test_ranks_follow_the_shifted_law() -> None:
    ranks = zipf_ranks(np.random.default_rng(0), 400_000, 1_000, 10.0)
    assert ranks.min() == 0
    assert ranks.max() == 999
    shares = np.bincount(ranks, minlength=1_000) / len(ranks)
    # p(0) / p(90) = (ln 11 - ln 10) / (ln 101 - ln 100): the law between whole numbers.
    expected = np.log(11 / 10) / np.log(101 / 100)
    assert abs(shares[0] / shares[80:101].mean() / expected - 1) < 0.05
