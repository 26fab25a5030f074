from __future__ import annotations

import numpy as np
import pytest

from reml.benchmarks.speed.workloads.vectors import SNRM, SPLADE, SyntheticVectors, VectorLaw
from reml.contract.vectors import SparseVectors


@pytest.mark.parametrize(("law", "nonzeros", "touched"), [(SPLADE, 164, 795_000), (SNRM, 65, 147_000)])
def test_has_the_statistics_it_claims(law: VectorLaw, nonzeros: int, touched: int) -> None:
    rows = 4_000
    (batch,) = SyntheticVectors(rows, law).batches()
    assert len(batch) == rows
    assert len(batch.dimensions) / rows == pytest.approx(nonzeros, rel=0.02)
    assert batch.weights.min() > 0
    queries = SyntheticVectors(rows, law).queries(2_000)["encoded"]
    frequencies = np.bincount(batch.dimensions, minlength=law.width)
    at_a_million = frequencies[queries.dimensions].sum() / len(queries) * 1_000_000 / rows
    assert at_a_million == pytest.approx(touched, rel=0.04)


def test_is_the_same_for_a_seed() -> None:
    def drawn(seed: int) -> SparseVectors:
        return next(SyntheticVectors(50, SNRM, seed).batches())

    np.testing.assert_array_equal(drawn(0).weights, drawn(0).weights)
    assert not np.array_equal(drawn(0).dimensions[:40], drawn(1).dimensions[:40])
