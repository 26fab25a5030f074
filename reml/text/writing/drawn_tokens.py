"""Sampling by noise that hangs on the prompt alone: the same prompt gets the same text, whatever else is asked.

The largest of log p / temperature plus Gumbel noise is a draw from the softmax (Gumbel 1954; Maddison, Tarlow and
Minka, "A* Sampling", NeurIPS 2014, https://arxiv.org/abs/1411.0030), so that `generate` may stay greedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor

from reml.files.atomic import digest


@final
class DrawnTokens:
    """A logits processor of transformers' `generate`: the likeliest token of what it gives is a draw.

    temperature: above 0. Each prompt, token ids, has a generator of its own, seeded by itself and the seed.
    """

    def __init__(self, prompts: Sequence[Sequence[int]], temperature: float, seed: int) -> None:
        self._temperature = temperature
        seeds = [int(digest(seed, list(prompt)), 16) % 2**63 for prompt in prompts]
        self._generators = [torch.Generator().manual_seed(one) for one in seeds]

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:  # noqa: ARG002
        """Add noise to scores [B, V]."""
        drawn = [torch.empty(scores.shape[1]).exponential_(generator=one) for one in self._generators]
        return scores.float() / self._temperature - torch.stack(drawn).log().to(scores.device)
