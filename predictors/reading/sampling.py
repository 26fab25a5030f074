"""Outputs of a predictor and their likelihood given each item, for objectives that ask how useful outputs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reml.contract.examples import Answer
from reml.contract.signals import Credit

# Outputs drawn for each example at each step, beside the right answer. Stochastic RAG takes 10 of 100 from a beam.
DRAWN = 4


@dataclass(frozen=True, slots=True)
class Output:
    """What a predictor may say of an example.

    first: the places of the list that its provenance begins with. tokens: what its likelihood is of, as many numbers a
    token as the predictor needs.
    """

    text: str
    first: tuple[int, ...]
    tokens: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Round:
    """One output for each of B examples, and log p(output | x, item), [B, K], -inf where there is no item."""

    answers: Sequence[Answer]
    log_likelihood: Tensor


def with_samples(credit: Credit, rounds: Sequence[Round]) -> Credit:
    """Add S outputs for each example."""
    samples = tuple(zip(*(one.answers for one in rounds), strict=True))
    likelihood = torch.stack([one.log_likelihood for one in rounds], dim=1)  # S x [B, K] -> [B, S, K]
    return replace(credit, samples=samples, sample_log_likelihood=likelihood)
