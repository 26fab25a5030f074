from __future__ import annotations

import pytest
import torch

from reml.benchmarks.speed.attention.lengths import (
    HEADS,
    WIDTH,
    Measured,
    fitted_table,
    fused,
    line_misfit,
    measure_all,
    measured_table,
    plain,
    separable,
)


def test_plain_and_fused_compute_the_same_and_separable_another() -> None:
    keys, values = torch.randn(2, 1, HEADS, 7, WIDTH, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(plain(keys, values), fused(keys, values), atol=1e-5, rtol=1e-4)
    assert separable(keys, values).shape == values.shape
    assert not torch.allclose(separable(keys, values), plain(keys, values), atol=0.1)


def test_all_ways_are_measured_at_all_lengths() -> None:
    every = measure_all((512,), rounds=1)
    assert [(one.way, one.length) for one in every] == [(way, 512) for way in ("separable", "plain", "fused")]
    assert all(one.seconds > 0 for one in every)
    memory = {one.way: one.memory for one in every}
    assert memory["plain"] > HEADS * 512**2 * 4, "the matrix of L x L is part of it"


def test_fits_tell_a_line_from_a_parabola() -> None:
    lengths = [512, 1024, 2048, 4096, 8192]
    assert line_misfit(lengths, [3.0 * length + 7 for length in lengths]) == pytest.approx(1)
    assert line_misfit(lengths, [float(length**2) for length in lengths]) < 0.96
    every = [Measured("separable", length, length * 1e-5, length * 100) for length in lengths]
    every += [Measured("plain", length, length**2 * 1e-8, length**2) for length in lengths]
    assert [row[2:] for row in fitted_table(every).rows][:2] == [("1.0000", "1.00")] * 2
    assert [row[3] for row in fitted_table(every).rows][2:] == ["2.00", "2.00"]
    assert measured_table(every).rows[0] == ("separable", "512", "5.1", "0.1")
