"""How much an access model searches for, hands over, and how often it may be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive

Order = Literal["best_first", "best_last", "by_page"]


@checked("limits")
@dataclass(frozen=True)
class Limits:
    """The numbers of an access model.

    Args:
        depth: hits that are searched for, processed and kept.
        k: items that are handed over.
        asks: how often each example may be asked for; as often as a predictor likes if left out.
        temperature: what scores are divided by where they stand for probabilities.
        order: in which what is handed over is read (`reml.access.presenting.order`).
    """

    depth: Count = 100
    k: Count = 5
    asks: Count | None = None
    temperature: Positive = 1.0
    order: Order = "best_first"

    def __post_init__(self) -> None:
        if self.depth < self.k:
            raise ValueError(f"limits.depth ({self.depth}) must be at least limits.k ({self.k}).")
