"""Who learns from what: each regime is an `nn.Module` from a batch to losses that knows nothing of Lightning.

    independent    the predictor learns from the right answers, whatever was retrieved
    conditional    the retriever learns from the feedback of a predictor that stays as it is, or from judges alone
    joint          both learn at once, end to end

A regime's parts are called `predictor` and `retriever`: the first words of its parameters' names, for `Training.rates`.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, Self

import numpy as np
import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.access.responses import empty
from reml.contract.access import QueryGenerator
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Feedback, Predictor
from reml.contract.refusal import providers
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Retriever
from reml.contract.signals import InBatch, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.feedback.judges.judges import Judges
from reml.training.data.batch import Batch
from reml.training.regimes.signals import ask, available
from reml.training.scale.in_batch_negatives import others


class Answering(Protocol):
    """What is scored on the dev sets: a predictor, or anything else that answers."""

    def generate(self, examples: Sequence[Example], responses: Responses) -> list[Answer]:
        """Give one answer for each example."""


class Regime(nn.Module, abc.ABC):
    """What a training run optimises; the answers of its `predictor` are scored on the dev sets."""

    predictor: Answering

    def __init__(self) -> None:
        super().__init__()
        # Numbers of the newest batch that are no losses, logged beside them.
        self.observed: Mapping[str, Tensor] = {}

    @abc.abstractmethod
    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the losses to be added up, by name, each [B] with gradient."""


@dataclass(frozen=True, eq=False, slots=True)
class Rescored:
    """What was retrieved, and what the other examples retrieved (nothing unless asked), with scores computed anew."""

    own: Responses
    others: Responses


@dataclass(frozen=True, eq=False)
class RetrieverObjective:
    """A retriever that learns from a predictor, or from judges.

    retriever: its `score` gives the gradient. module: its parameters. feedback: the objective. queries: makes exactly
    one query for each example. weight: of the objective beside the predictor's own loss. judges: say what the objective
    needs and no predictor tells.
    """

    retriever: Retriever
    module: nn.Module
    feedback: Feedback
    queries: QueryGenerator = field(default_factory=InputQuery)
    weight: float = 1.0
    judges: Judges = field(default_factory=Judges)

    def __post_init__(self) -> None:
        if not isinstance(self.module, nn.Module):
            raise TypeError(
                f"a learner's module holds what learns, and {type(self.module).__name__} is no nn.Module: "
                "give the `module` of the retriever's encoder."
            )

    @property
    def asks(self) -> Signal:
        """What the predictor's loss must give: all that neither the judges nor the batch does."""
        return self.feedback.needs & ~(self.judges.gives | Signal.IN_BATCH)

    def rescored(self, batch: Batch) -> Rescored:
        """Give the responses with their scores computed anew, with gradient."""
        queries = one_query_each(self.queries, batch.examples)
        own = batch.responses
        further = others(own) if Signal.IN_BATCH in self.feedback.needs else empty(len(own))
        rows = np.where(own.mask.cpu().numpy(), own.rows, -1)
        scores = self._scores(queries, np.concatenate([rows, further.rows], axis=1))
        further = replace(further, scores=scores[:, own.k :], mask=further.mask.to(scores.device))
        return Rescored(replace(own, scores=scores[:, : own.k]), further)

    def loss(self, examples: Sequence[Example], rescored: Rescored, prediction: Prediction) -> Tensor:
        """Give the objective's weighted loss of each example, [B]."""
        own = rescored.own
        return self.weight * self.feedback(own.scores, own.mask, self._judged(examples, rescored, prediction))

    def _scores(self, queries: Queries, rows: Int64Array) -> Tensor:
        scores = self.retriever.score(queries, rows)
        if scores.requires_grad or not torch.is_grad_enabled():
            return scores
        if (rows >= 0).any():
            raise ValueError(
                f"the scores of {type(self.retriever).__name__} have no gradient: {self.feedback!r} cannot train it. "
                "Choose a retriever with parameters, or keep `FeedbackRecord`s for it."
            )
        return scores.requires_grad_()  # nothing was retrieved for the whole batch: a step that teaches nothing

    def _judged(self, examples: Sequence[Example], rescored: Rescored, prediction: Prediction) -> Prediction:
        """Add what the objective needs of the judges and of the batch."""
        needs, scores, further = self.feedback.needs, rescored.own.scores, rescored.others
        judged = Signal.ITEM_UTILITY in needs & self.judges.gives
        if judged:
            prediction = replace(prediction, item_utility=self.judges.utility(examples, rescored.own))
        if Signal.ITEM_LIKELIHOOD in needs & self.judges.gives:
            prediction = replace(prediction, item_log_likelihood=self.judges.likelihood(examples, rescored.own))
        if prediction.samples is not None:
            prediction = replace(prediction, utilities=self.judges.samples(examples, prediction.samples).to(scores))
        if Signal.IN_BATCH in needs:
            utility = self.judges.utility(examples, further) if judged else torch.zeros_like(further.scores)
            prediction = replace(prediction, in_batch=InBatch(further.scores, further.mask, utility))
        return prediction


class Independent(Regime):
    """Train the predictor on right answers."""

    predictor: Predictor

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        _check_predictor(predictor, Signal.NONE)
        self.predictor = predictor

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the predictor's loss."""
        return {"predictor": self.predictor.loss(batch.examples, batch.responses).loss}


class Conditional(Regime):
    """Train the retriever on the feedback of a predictor that is frozen and in evaluation mode."""

    predictor: Predictor

    def __init__(self, predictor: Predictor, learner: RetrieverObjective) -> None:
        super().__init__()
        _check_predictor(predictor, learner.asks).requires_grad_(False)
        self.predictor, self.retriever, self._learner = predictor, learner.module, learner

    def train(self, mode: bool = True) -> Self:
        """Put the retriever, and never the predictor, in training mode."""
        super().train(mode)
        _check_predictor(self.predictor, Signal.NONE).eval()
        return self

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the retriever's loss."""
        rescored = self._learner.rescored(batch)
        return {"retriever": self._learner.loss(batch.examples, rescored, self._predicted(batch, rescored.own))}

    @torch.no_grad()
    def _predicted(self, batch: Batch, responses: Responses) -> Prediction:
        if not self._learner.asks:  # the objective learns from judges alone, and a predictor is slow
            return Prediction(torch.zeros(len(batch.examples), device=responses.scores.device))
        fixed = replace(responses, scores=responses.scores.detach())
        return ask(self.predictor, batch.examples, fixed, self._learner.asks)


class Joint(Regime):
    """Train predictor and retriever together."""

    predictor: Predictor

    def __init__(self, predictor: Predictor, learner: RetrieverObjective) -> None:
        super().__init__()
        _check_predictor(predictor, learner.asks)
        self.predictor, self.retriever, self._learner = predictor, learner.module, learner

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the predictor's loss and the retriever's."""
        rescored = self._learner.rescored(batch)
        prediction = ask(self.predictor, batch.examples, rescored.own, self._learner.asks)
        return {"predictor": prediction.loss, "retriever": self._learner.loss(batch.examples, rescored, prediction)}


def _check_predictor(predictor: Predictor, needs: Signal) -> nn.Module:
    if not isinstance(predictor, nn.Module):
        raise TypeError(f"{type(predictor).__name__} is not a torch `nn.Module`, so it cannot be trained.")
    if lacking := needs & ~available(predictor):
        raise ValueError(
            f"the objective needs {lacking} of the predictor, but {type(predictor).__name__} gives "
            f"{predictor.signals}: choose another objective, or a predictor whose `signals` include it "
            f"({providers(lacking)})."
        )
    return predictor
