"""Which examples can be learnt from: a predictor needs a right answer."""

from __future__ import annotations

from collections.abc import Sequence

from reml.contract.examples import Example


def check_answered(examples: Sequence[Example]) -> None:
    """Raise `ValueError` for an example without a right answer."""
    silent = next((example for example in examples if not example.answers), None)
    if silent is not None:
        raise ValueError(f"example {silent.id!r} has no right answer to learn: leave it out of the training set.")
