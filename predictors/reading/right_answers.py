"""The right answers that a predictor learns to give."""

from __future__ import annotations

from collections.abc import Sequence

from reml.contract.examples import Example


def right_answers(example: Example) -> Sequence[str]:
    """Give the right answers of an example, one at least; `ValueError` where there is none."""
    if not example.answers:
        raise ValueError(f"example {example.id!r} has no answer to learn from. Leave such examples out of training.")
    return example.answers
