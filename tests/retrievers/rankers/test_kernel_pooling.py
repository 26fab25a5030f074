from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reml.retrievers.rankers.kernel_pooling import cosines, kernels, sinusoids, window_sums, windows_begun


def test_cosines_are_those_of_each_pair_and_zeros_have_none() -> None:
    torch.manual_seed(0)
    asked, shown = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    shown[1, 2] = 0
    found = cosines(asked, shown)
    for pair in range(2):
        for term in range(3):
            for word in range(5):
                one, other = asked[pair, term].tolist(), shown[pair, word].tolist()
                lengths = math.hypot(*one) * math.hypot(*other)
                product = sum(a * b for a, b in zip(one, other, strict=True))
                assert found[pair, term, word].item() == pytest.approx(product / lengths if lengths else 0, abs=1e-6)


def test_a_kernel_is_a_gaussian_of_a_cosine_and_padding_has_none() -> None:
    likeness, mask = torch.tensor([[[1.0, 0.3, 0.9]]]), torch.tensor([[True, True, False]])
    found = kernels(likeness, torch.tensor([1.0, 0.5]), mask)[0, 0]
    for word, cosine in enumerate([1.0, 0.3]):
        for place, centre in enumerate([1.0, 0.5]):
            assert found[word, place].item() == pytest.approx(math.exp(-((cosine - centre) ** 2) / 0.02), abs=1e-6)
    assert found[2].tolist() == [0, 0]


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 14), st.integers(1, 6), st.integers(1, 4), st.integers(0, 3))
def test_windows_add_up_what_lies_in_them(length: int, window: int, stride: int, padding: int) -> None:
    """One begins on every `stride`-th word; padding changes none of them."""
    values = torch.rand(2, 3, length, 2, generator=torch.Generator().manual_seed(length))
    padded = torch.nn.functional.pad(values, (0, 0, 0, padding))
    mask = torch.arange(length + padding).expand(2, -1) < length
    found, begun = window_sums(padded, window, stride), windows_begun(mask, stride)
    starts = list(range(0, length, stride))
    assert begun.sum(dim=1).tolist() == [len(starts)] * 2
    assert found.shape[2] == begun.shape[1]
    for place, start in enumerate(starts):
        torch.testing.assert_close(found[:, :, place], values[:, :, start : start + window].sum(dim=2))


def test_positions_are_sines_and_cosines() -> None:
    found = sinusoids(3, 4, first=500)
    for row, position in enumerate(range(500, 503)):
        angles = [position, position / 100]
        expected = [*map(math.sin, angles), *map(math.cos, angles)]
        assert found[row].tolist() == pytest.approx(expected, abs=1e-3)
    assert sinusoids(3, 5).shape == (3, 5)
