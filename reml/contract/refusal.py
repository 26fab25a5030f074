"""The refusal of a signal that a predictor cannot give, naming who can."""

from __future__ import annotations

from reml.contract.signals import Signal

_GIVEN_BY = {
    Signal.ITEM_LIKELIHOOD: "FiD, CopyFiD, Span, InContext, Realm, Rag and RetGen give it",
    Signal.TOKEN_LIKELIHOOD: "FiD, CopyFiD, InContext, Realm, Rag and RetGen give it",
    Signal.ATTENTION: "FiD and CopyFiD give it",
    Signal.SAMPLES: "FiD and CopyFiD give it",
    Signal.LEAVE_ONE_OUT: "FiD and CopyFiD give it",
    Signal.ITEM_UTILITY: "a judge gives it, such as `RetrieverObjective(..., judges=Judges(items=GoldEvidence()))`",
    Signal.NULL_LIKELIHOOD: "FiD, CopyFiD and Realm give it",
    Signal.IN_BATCH: "the training regime gives it, not the predictor",
}


def providers(signals: Signal) -> str:
    """Say of each of these signals who gives it."""
    return "; ".join(f"{signal.name}: {_GIVEN_BY[signal]}" for signal in signals)


def refuse(asked: Signal, given: Signal, predictor: str) -> None:
    """Raise `ValueError` if a signal is asked that this predictor does not give, saying which predictors do."""
    for signal in asked & ~given:
        raise ValueError(
            f"{predictor} cannot give {signal.name}: {_GIVEN_BY[signal]}. Choose another predictor, or an objective "
            f"that needs only {' | '.join(str(one.name) for one in given)}."
        )
