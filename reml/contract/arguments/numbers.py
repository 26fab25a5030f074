"""The numbers that people give: bounds that stand in annotations, and whether a value keeps them.

k: Count = 5                      # 1, 2, ...
temperature: Positive = 1.0       # any number above 0, no infinity
share: Annotated[float, Bounds(least=0, most=1)] = 0.5
"""

from __future__ import annotations

import math
import numbers
from dataclasses import dataclass
from typing import Annotated, Any

# The largest count: what counts something is an index of some array, and larger ones overflow in C.
MOST = 2**31 - 1


@dataclass(frozen=True)
class Bounds:
    """What a number must keep: at least `least`, more than `above`, at most `most`, less than `below`."""

    least: float | None = None
    above: float | None = None
    most: float | None = None
    below: float | None = None

    def keeps(self, value: Any) -> bool:
        """Tell whether a number is finite and within the bounds."""
        return (
            math.isfinite(value)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
            and (self.below is None or value < self.below)
        )

    def said(self, value: object) -> str:
        """Say what a number must keep; the largest count only to who gave a larger one."""
        low = "positive" if self.above == 0 else f"above {self.above:,}" if self.above is not None else None
        low = low or (f"{self.least:,} or more" if self.least is not None else "a finite number")
        high = f"at most {self.most:,}" if self.most is not None else None
        high = high or (f"below {self.below:,}" if self.below is not None else None)
        large = isinstance(value, int | float) and value > MOST
        return low if high is None or (self.most is not None and self.most >= MOST and not large) else f"{low}, {high}"


Count = Annotated[int, Bounds(least=1, most=MOST)]
Several = Annotated[int, Bounds(least=2, most=MOST)]  # a list to choose from
Size = Annotated[int, Bounds(least=0, most=MOST)]
Seed = Annotated[int, Bounds(least=0, most=2**63 - 1)]
Positive = Annotated[float, Bounds(above=0)]
Weight = Annotated[float, Bounds(least=0)]
Share = Annotated[float, Bounds(least=0, most=1)]
Temper = Annotated[float, Bounds(least=1)]  # a share of n^(1 / temperature)
Finite = Annotated[float, Bounds()]


def wrong_number(value: object, kind: object, bounds: Bounds) -> str | None:
    """Say what a value must be if it is not a number of this kind, `int` or `float`, within bounds; nothing if it is.

    A whole number is a number too; true and false are none.
    """
    wanted = numbers.Integral if kind is int else numbers.Real
    if not isinstance(value, wanted) or isinstance(value, bool):
        return f"a {'whole ' if kind is int else ''}number{'' if bounds == Bounds() else f', {bounds.said(value)}'}"
    return None if _kept(value, bounds) else bounds.said(value)


def _kept(value: numbers.Real, bounds: Bounds) -> bool:
    try:
        return bounds.keeps(value)
    except OverflowError:  # a whole number larger than any float
        return False
