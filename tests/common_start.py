"""A metric of a user's own: how much of the right answer the given one begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.examples import Answer, Example
from reml.contract.vectors import Float64Array


@dataclass(frozen=True)
class CommonStart:
    """Gives the share of the words of the right answer that stand at the start of the answer. most: of a full one."""

    most: float = 1.0
    headline: str = "start"

    def __call__(self, examples: Sequence[Example], answers: Sequence[Answer]) -> Mapping[str, Float64Array]:
        pairs = zip(examples, answers, strict=True)
        shares = [_share((answer.text or "").split(), example.answers[0].split()) for example, answer in pairs]
        return {"start": self.most * np.array(shares, dtype=np.float64)}


def _share(given: Sequence[str], right: Sequence[str]) -> float:
    same = [one == other for one, other in zip(given, right, strict=False)]
    return [*same, False].index(False) / len(right)
