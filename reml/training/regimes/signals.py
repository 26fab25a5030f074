"""Asking a predictor for what objectives need, and for what it says without any item in terms of what it gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from reml.contract.examples import Example
from reml.contract.predictors import Predictor
from reml.contract.retrieved import Responses
from reml.contract.signals import Prediction, Signal


def available(predictor: Predictor) -> Signal:
    """Give the signals that `ask` can ask a predictor for."""
    given = predictor.signals
    return given | Signal.NULL_LIKELIHOOD if Signal.LEAVE_ONE_OUT in given else given


def ask(predictor: Predictor, examples: Sequence[Example], responses: Responses, signals: Signal) -> Prediction:
    """Give the predictor's loss with signals, all of them `available`."""
    prediction = predictor.loss(examples, responses, signals & predictor.signals)
    if Signal.NULL_LIKELIHOOD in signals & ~predictor.signals:
        prediction = replace(prediction, null_log_likelihood=_unread(predictor, examples, responses))
    return prediction


def _unread(predictor: Predictor, examples: Sequence[Example], responses: Responses) -> Tensor:
    """Give log p(y | x) [B, 1] without gradient, -inf without items: what is said of a list of one item without it."""
    first = Responses(
        items=tuple(items[:1] for items in responses.items),
        rows=responses.rows[:, :1],
        scores=responses.scores[:, :1].detach(),
        mask=responses.mask[:, :1],
    )
    said = predictor.loss(examples, first, Signal.LEAVE_ONE_OUT).leave_one_out
    assert said is not None  # noqa: S101 - a predictor gives the signals that it says it gives
    return said.detach()
