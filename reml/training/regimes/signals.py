"""Asking a predictor for what objectives need, and for what it says without any item in terms of what it gives."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor

from reml.contract.asking import prediction_of
from reml.contract.predictors import Batch, Predictor
from reml.contract.refusal import providers
from reml.contract.signals import Prediction, Signal


def available(given: Signal) -> Signal:
    """Give the signals that `collect` can ask a predictor for which gives these."""
    return given | Signal.NULL_LIKELIHOOD if Signal.LEAVE_ONE_OUT in given else given


def require(name: str, given: Signal, needs: Signal) -> None:
    """Raise `ValueError` if an objective needs what a predictor does not give. given: what `available` says of it."""
    if lacking := needs & ~given:
        raise ValueError(
            f"the objective needs {lacking} of the predictor, but {name} gives {given}: choose another objective, or a "
            f"predictor whose `signals` include it ({providers(lacking)})."
        )


def collect(predictor: Predictor, batch: Batch, signals: Signal) -> Prediction:
    """Give the predictor's loss, [B] or refused, with signals of the list it reads, all of them `available`."""
    prediction = prediction_of(predictor, batch, signals & predictor.signals)
    if Signal.NULL_LIKELIHOOD in signals & ~predictor.signals:
        credit = replace(prediction.read_credit, null_log_likelihood=_unread(predictor, batch))
        prediction = replace(prediction, credit=(credit,))
    return prediction


def _unread(predictor: Predictor, batch: Batch) -> Tensor:
    """Give log p(y | x) [B, 1] without gradient, -inf without items: what is said of a list of one item without it."""
    first = batch.read.first(1)
    alone = batch.reading(replace(first, scores=first.scores.detach()))
    said = prediction_of(predictor, alone, Signal.LEAVE_ONE_OUT).read_credit.leave_one_out
    assert said is not None  # noqa: S101 - a predictor gives the signals that it says it gives
    return said.detach()
