"""Who learns from what: each regime is an `nn.Module` from a batch to losses that knows nothing of Lightning.

    independent    the predictor learns from the right answers, whatever was retrieved
    conditional    the retriever learns from the feedback of a predictor that stays as it is, or from judges alone
    joint          both learn at once, end to end
    alternating    both learn, in turns

A regime's parts are called `predictor` and `retriever`: the first words of its parameters' names, for `Training.rates`.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Self

import torch
from torch import Tensor, nn

from reml.contract.asking import Answering
from reml.contract.predictors import Batch, Predictor
from reml.contract.retrieved import Responses
from reml.contract.signals import Credit, Signal
from reml.training.regimes.learners import Learners, Learning, read_again
from reml.training.regimes.reaching import reaches
from reml.training.regimes.retriever_objective import Rescored
from reml.training.regimes.signals import available, collect, require


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

    def resting(self, step: int) -> Sequence[nn.Module]:  # noqa: ARG002
        """Give the parts whose weights stay as they are in a step, counted from 0."""
        return ()


class Independent(Regime):
    """Train the predictor on right answers."""

    predictor: Predictor

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        _check_predictor(predictor, Signal.NONE)
        self.predictor = predictor

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the predictor's loss."""
        return {"predictor": collect(self.predictor, batch, Signal.NONE).loss}


class FeedbackRegime(Regime):
    """A regime in which retrievers learn from a predictor: what a configuration names under `feedback.regime`.

    trains_predictor: whether the predictor learns too, and is the one that reads what the retrievers then find.
    learning: the retriever of the access model that is read, or some by the name of theirs.
    """

    trains_predictor: ClassVar[bool]

    @abc.abstractmethod
    def __init__(self, predictor: Predictor, learning: Learning) -> None:
        super().__init__()


RegimeMaker = Callable[[Predictor, Learning], FeedbackRegime]


class Conditional(FeedbackRegime):
    """Train retrievers on the feedback of a predictor that is frozen and in evaluation mode."""

    trains_predictor = False
    predictor: Predictor

    def __init__(self, predictor: Predictor, learning: Learning) -> None:
        super().__init__(predictor, learning)
        self._learners = Learners.of(learning)
        if not self._learners.taught:
            raise ValueError("nothing is learnt: a predictor that stays as it is teaches by an objective, so give one.")
        _check_predictor(predictor, self._learners.asks).requires_grad_(False)
        self.predictor, self.retriever = predictor, self._learners.module

    def train(self, mode: bool = True) -> Self:
        """Put the retrievers, and never the predictor, in training mode."""
        super().train(mode)
        _check_predictor(self.predictor, Signal.NONE).eval()
        return self

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the retrievers' losses."""
        rescored = self._learners.rescored(batch)
        return self._learners.losses(batch.examples, rescored, self._said(batch, rescored))

    @torch.no_grad()
    def _said(self, batch: Batch, rescored: Mapping[str, Rescored]) -> Credit:
        if not self._learners.asks:  # the objectives learn from judges alone, and a predictor is slow
            return Credit()
        read = read_again(rescored, len(batch.examples))
        fixed = replace(read, scores=read.scores.detach())
        return collect(self.predictor, batch.reading(fixed), self._learners.asks).read_credit


class Joint(FeedbackRegime):
    """Train predictor and retrievers together; a retriever without an objective learns by the predictor's own loss."""

    trains_predictor = True
    predictor: Predictor

    def __init__(self, predictor: Predictor, learning: Learning) -> None:
        super().__init__(predictor, learning)
        self._learners, self._reached = Learners.of(learning), False
        _check_predictor(predictor, self._learners.asks)
        self.predictor, self.retriever = predictor, self._learners.module

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the predictor's loss and the retrievers'."""
        rescored = self._learners.rescored(batch)
        read = read_again(rescored, len(batch.examples))
        prediction = collect(self.predictor, batch.reading(read), self._learners.asks)
        self._check_reached(prediction.loss, read)
        losses = self._learners.losses(batch.examples, rescored, prediction.read_credit)
        return {"predictor": prediction.loss, **losses}

    def _check_reached(self, loss: Tensor, read: Responses) -> None:
        """Raise `ValueError`, at the first batch with items, if a retriever is to learn by a loss it is no part of."""
        if self._reached or not self._learners.untaught or not read.mask.any() or not read.scores.requires_grad:
            return
        if not reaches(loss, read.scores):
            raise ValueError(
                f"{self._learners.untaught} without an objective learns by the loss of "
                f"{type(self.predictor).__name__}, and that does not depend on the scores: give feedback.objective, "
                "such as reml.feedback.emdr2.Emdr2, or a predictor whose loss is marginal over the items, such as "
                "reml.predictors.marginal.rag.Rag."
            )
        self._reached = True


class Alternating(Joint):
    """Train predictor and retrievers in turns of so many steps, the predictor first; who rests stays as it is.

    Each learns by what it learns by in `Joint`. A turn is a function of the step, so that a killed run goes on in it.
    every: steps of a turn.
    """

    def __init__(self, predictor: Predictor, learning: Learning, every: int = 1) -> None:
        if every < 1:
            raise ValueError(f"every is a number of steps, 1 or more, not {every}.")
        super().__init__(predictor, learning)
        self.every = every

    def resting(self, step: int) -> Sequence[nn.Module]:
        """Give the retrievers in turns of the predictor, and the predictor in theirs."""
        if step // self.every % 2 == 0:
            return [self.retriever]
        return [_check_predictor(self.predictor, Signal.NONE)]


def _check_predictor(predictor: Predictor, needs: Signal) -> nn.Module:
    if not isinstance(predictor, nn.Module):
        raise TypeError(f"{type(predictor).__name__} is not a torch `nn.Module`, so it cannot be trained.")
    require(type(predictor).__name__, available(predictor.signals), needs)
    return predictor
