"""The refusal of a signal that a predictor cannot give."""

from __future__ import annotations

from reml.types import Signal

_GIVEN_BY = {
    Signal.ITEM_LIKELIHOOD: "FiD, CopyFiD, Span and InContext give it",
    Signal.TOKEN_LIKELIHOOD: "FiD, CopyFiD and InContext give it",
    Signal.ATTENTION: "FiD and CopyFiD give it",
    Signal.SAMPLES: "no predictor of reml gives it yet",
}


def refuse(asked: Signal, given: Signal, predictor: str) -> None:
    """Raise `ValueError` if a signal is asked that this predictor does not give, saying which predictors do."""
    for signal in asked & ~given:
        raise ValueError(
            f"{predictor} cannot give {signal.name}: {_GIVEN_BY[signal]}. Choose another predictor, or an objective "
            f"that needs only {' | '.join(str(one.name) for one in given)}."
        )
