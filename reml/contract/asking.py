"""Asking a predictor: what it gives is held to the contract, and what it raises says who was asked, and with what."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from reml.contract.examples import Answer
from reml.contract.predictors import Batch, Predictor
from reml.contract.signals import Prediction, Signal


class Answering(Protocol):
    """What is scored: a predictor, or anything else that answers."""

    def generate(self, batch: Batch) -> list[Answer]:
        """Give one answer for each example."""


def answers_of(predictor: Answering, batch: Batch) -> list[Answer]:
    """Give its answers; `ValueError` unless they are one `Answer` for each example.

    What is right it is not told (`Batch.unanswered`).
    """
    with _asked(predictor, batch, "answers"):
        answers = predictor.generate(batch.unanswered)
        name, needed = type(predictor).__name__, "`generate` gives a list of one `Answer` for each example, in order."
        if not isinstance(answers, list | tuple):
            raise ValueError(f"{name} gave its answers as {type(answers).__name__}: {needed}")
        if len(answers) != len(batch.examples):
            raise ValueError(f"{name} gave {len(answers)} answers to {len(batch.examples)} examples: {needed}")
        for example, answer in zip(batch.examples, answers, strict=True):
            if not isinstance(answer, Answer):
                raise ValueError(f"{name} gave a {type(answer).__name__} to example {example.id!r}: {needed}")
    return list(answers)


def prediction_of(predictor: Predictor, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
    """Give its loss and what it says of items; `ValueError` unless it is a `Prediction` with a loss [B]."""
    with _asked(predictor, batch, "scores right answers"):
        prediction = predictor.loss(batch, signals)
        name, count = type(predictor).__name__, len(batch.examples)
        if not isinstance(prediction, Prediction):
            raise ValueError(f"the loss of {name} is a {type(prediction).__name__}: give `Prediction(loss)`, loss [B].")
        if (shape := np.shape(prediction.loss)) != (count,):
            raise ValueError(
                f"the loss of {name} has the shape {list(shape)} for {count} examples: give [{count}], one number for "
                "each, without a mean over the batch."
            )
    return prediction


@contextlib.contextmanager
def noted(what: str) -> Iterator[None]:
    """Add a note to what is raised: where it happened, in the words of the user."""
    try:
        yield
    except Exception as error:
        error.add_note(what)
        raise


def _asked(predictor: Answering | Predictor, batch: Batch, does: str) -> contextlib.AbstractContextManager[None]:
    given = f"given the sessions of {', '.join(map(repr, batch.sessions))}" if batch.sessions else "given no sessions"
    return noted(f"while {type(predictor).__name__} {does}, {given}")
