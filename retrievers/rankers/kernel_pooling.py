"""What rankers that match word by word share: cosines, Gaussian kernels over them, and positions of words.

Xiong, Dai, Callan, Liu and Power, "End-to-End Neural Ad-hoc Ranking with Kernel Pooling", SIGIR 2017, section 3,
https://arxiv.org/abs/1706.06613. A kernel counts softly how many words of an item are so like a word of the query:

    K_k(c) = exp(-(c - mu_k)^2 / (2 sigma^2))        c the cosine of the two words' vectors, sigma = 0.1
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

SIGMA = 0.1
# Vectors shorter than this have no direction, so that their cosines are 0.
SHORTEST = 1e-6


def cosines(asked: Tensor, shown: Tensor) -> Tensor:
    """Compare each word of a query with each of its item, [P, Q, D] with [P, L, D], to [P, Q, L]; 0 for zeros."""
    return functional.normalize(asked, dim=-1, eps=SHORTEST) @ functional.normalize(shown, dim=-1, eps=SHORTEST).mT


def kernels(likeness: Tensor, centres: Tensor, mask: Tensor) -> Tensor:
    """Give each kernel's value of cosines [P, Q, L], [P, Q, L, kernels]; 0 where the mask [P, L] is false.

    centres: the mu of each kernel.
    """
    distances = likeness[..., None] - centres  # [P, Q, L] -> [P, Q, L, kernels]
    return torch.exp(-distances.square() / (2 * SIGMA**2)) * mask[:, None, :, None]


def window_sums(values: Tensor, window: int, stride: int) -> Tensor:
    """Add up values [P, Q, L, kernels] over windows of words, one every `stride`, [P, Q, ceil(L / stride), kernels].

    There is a window wherever one begins on a word; the last ones reach past the end, where there is nothing to add.
    """
    pairs, asked, length, count = values.shape
    windows = -(-length // stride)
    rows = values.permute(0, 1, 3, 2).reshape(pairs * asked, count, length)
    padded = functional.pad(rows, (0, max(0, (windows - 1) * stride + window - length)))
    sums = window * functional.avg_pool1d(padded, window, stride)[..., :windows]
    return sums.reshape(pairs, asked, count, windows).permute(0, 1, 3, 2)


def windows_begun(mask: Tensor, stride: int) -> Tensor:
    """Tell of each window whether it begins on a word, [P, L] -> [P, ceil(L / stride)]."""
    return mask[:, ::stride]


def sinusoids(length: int, width: int, *, first: int = 0) -> Tensor:
    """Give the positions from `first` on as sines, then cosines of falling frequency, [length, width].

    Vaswani et al., "Attention Is All You Need", 2017, section 3.5, https://arxiv.org/abs/1706.03762.
    """
    frequencies = 10_000.0 ** -(torch.arange(0, width, 2) / width)
    angles = torch.arange(first, first + length)[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]
