"""How much an access model searches for, hands over, and how often it may be asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """The numbers of an access model.

    Args:
        depth: hits that are searched for, processed and kept.
        k: items that are handed over.
        asks: how often each example may be asked for; as often as a predictor likes if left out.
        temperature: what scores are divided by where they stand for probabilities.
    """

    depth: int = 100
    k: int = 5
    asks: int | None = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.k < 1 or self.depth < self.k:
            raise ValueError(f"k is 1 or more and depth at least k, not {self.k} and {self.depth}.")
        if self.asks is not None and self.asks < 1:
            raise ValueError(
                f"a budget of {self.asks} asks lets nobody ask: give 1 or more, or leave the access model out."
            )
        if not self.temperature > 0:
            raise ValueError(f"temperature is {self.temperature}, but must be positive; 1.0 changes nothing.")
