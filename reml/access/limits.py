"""How much an access model searches for, hands over, and how often it may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive


@checked("limits")
@dataclass(frozen=True)
class Limits:
    """The numbers of an access model.

    Args:
        depth: hits that are searched for, processed and kept.
        k: items that are handed over.
        asks: how often each example may be asked for; as often as a predictor likes if left out.
        temperature: what scores are divided by where they stand for probabilities.
    """

    depth: Count = 100
    k: Count = 5
    asks: Count | None = None
    temperature: Positive = 1.0

    def __post_init__(self) -> None:
        if self.depth < self.k:
            raise ValueError(f"limits.depth ({self.depth}) must be at least limits.k ({self.k}).")
