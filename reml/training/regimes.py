"""Who learns from what: each regime is an `nn.Module` from a batch to losses that knows nothing of Lightning.

    independent    the predictor learns from the right answers, whatever was retrieved
    conditional    the retriever learns from the feedback of a predictor that stays as it is
    joint          both learn at once, end to end

A regime's parts are called `predictor` and `retriever`: the first words of its parameters' names, for `Training.rates`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import torch
from torch import Tensor, nn

from reml.protocols import Feedback, Predictor, QueryGenerator, Retriever
from reml.queries import InputQuery
from reml.training.data import Batch
from reml.types import Prediction, Responses, Signal


class Regime(nn.Module, abc.ABC):
    """What a training run optimises; the answers of its `predictor` are scored on the dev sets."""

    predictor: Predictor

    @abc.abstractmethod
    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the losses to be added up, by name, each [B] with gradient."""


@dataclass(frozen=True, eq=False)
class Learner:
    """A retriever that learns from a predictor.

    retriever: its `score` gives the gradient. module: its parameters. feedback: the objective. queries: makes exactly
    one query for each example. weight: of the objective beside the predictor's own loss.
    """

    retriever: Retriever
    module: nn.Module
    feedback: Feedback
    queries: QueryGenerator = field(default_factory=InputQuery)
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.module, nn.Module):
            raise TypeError(
                f"a learner's module holds what learns, and {type(self.module).__name__} is no nn.Module: "
                "give the `module` of the retriever's encoder."
            )

    def rescored(self, batch: Batch) -> Responses:
        """Give the responses with their scores computed anew, with gradient."""
        queries = self.queries(batch.examples)
        if len(queries) != len(batch.examples):
            raise ValueError(
                f"{type(self.queries).__name__} made {len(queries)} queries for {len(batch.examples)} examples; "
                "a retriever learns from exactly one for each: choose another query generator for training."
            )
        scores = self.retriever.score(queries, batch.responses.rows)
        if not scores.requires_grad and torch.is_grad_enabled():
            raise ValueError(
                f"the scores of {type(self.retriever).__name__} have no gradient: {self.feedback!r} cannot train it. "
                "Choose a retriever with parameters, or keep `FeedbackRecord`s for it."
            )
        return replace(batch.responses, scores=scores)

    def loss(self, responses: Responses, prediction: Prediction) -> Tensor:
        """Give the objective's weighted loss of each example, [B]."""
        return self.weight * self.feedback(responses.scores, responses.mask, prediction)


class Independent(Regime):
    """Train the predictor on right answers."""

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        _check_predictor(predictor, Signal.NONE)
        self.predictor = predictor

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the predictor's loss."""
        return {"predictor": self.predictor.loss(batch.examples, batch.responses).loss}


class Conditional(Regime):
    """Train the retriever on the feedback of a predictor that is frozen and in evaluation mode."""

    def __init__(self, predictor: Predictor, learner: Learner) -> None:
        super().__init__()
        _check_predictor(predictor, learner.feedback.needs).requires_grad_(False)
        self.predictor, self.retriever, self._learner = predictor, learner.module, learner

    def train(self, mode: bool = True) -> Self:
        """Put the retriever, and never the predictor, in training mode."""
        super().train(mode)
        _check_predictor(self.predictor, Signal.NONE).eval()
        return self

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the retriever's loss."""
        responses = self._learner.rescored(batch)
        with torch.no_grad():
            fixed = replace(responses, scores=responses.scores.detach())
            prediction = self.predictor.loss(batch.examples, fixed, self._learner.feedback.needs)
        return {"retriever": self._learner.loss(responses, prediction)}


class Joint(Regime):
    """Train predictor and retriever together."""

    def __init__(self, predictor: Predictor, learner: Learner) -> None:
        super().__init__()
        _check_predictor(predictor, learner.feedback.needs)
        self.predictor, self.retriever, self._learner = predictor, learner.module, learner

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the predictor's loss and the retriever's."""
        responses = self._learner.rescored(batch)
        prediction = self.predictor.loss(batch.examples, responses, self._learner.feedback.needs)
        return {"predictor": prediction.loss, "retriever": self._learner.loss(responses, prediction)}


def _check_predictor(predictor: Predictor, needs: Signal) -> nn.Module:
    if not isinstance(predictor, nn.Module):
        raise TypeError(f"{type(predictor).__name__} is not a torch `nn.Module`, so it cannot be trained.")
    if needs not in predictor.signals:
        raise ValueError(
            f"the objective needs {needs & ~predictor.signals} of the predictor, but {type(predictor).__name__} gives "
            f"{predictor.signals}: choose another objective, or a predictor whose `signals` include it."
        )
    return predictor
