"""A retriever that learns: where its scores get their gradient, by which objective, and who says what it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.access.responses import empty
from reml.contract.access import QueryGenerator
from reml.contract.examples import Example
from reml.contract.predictors import Feedback
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Retriever
from reml.contract.signals import Credit, InBatch, Signal
from reml.contract.vectors import Int64Array
from reml.feedback.judges.judges import Judges
from reml.training.scale.in_batch_negatives import others


@dataclass(frozen=True, eq=False, slots=True)
class Rescored:
    """What was retrieved, and what the other examples retrieved (nothing unless asked), with scores computed anew."""

    own: Responses
    others: Responses


@dataclass(frozen=True, eq=False)
class RetrieverObjective:
    """A retriever that learns from a predictor, or from judges.

    retriever: its `score` gives the gradient. module: its parameters. feedback: the objective; without one it learns by
    the predictor's own loss alone, through the scores that the predictor reads. queries: makes exactly one query for
    each example. weight: of the objective beside the predictor's own loss. judges: say what the objective needs and no
    predictor tells. temperature: what scores are divided by where they stand for probabilities.
    """

    retriever: Retriever
    module: nn.Module
    feedback: Feedback | None
    queries: QueryGenerator = field(default_factory=InputQuery)
    weight: float = 1.0
    judges: Judges = field(default_factory=Judges)
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.module, nn.Module):
            raise TypeError(
                f"a learner's module holds what learns, and {type(self.module).__name__} is no nn.Module: "
                "give the `module` of the retriever's encoder."
            )

    @property
    def needs(self) -> Signal:
        """What the objective needs."""
        return self.feedback.needs if self.feedback is not None else Signal.NONE

    @property
    def asks(self) -> Signal:
        """What the predictor's loss must give: all that neither the judges nor the batch does."""
        return self.needs & ~(self.judges.gives | Signal.IN_BATCH)

    def rescored(self, examples: Sequence[Example], own: Responses) -> Rescored:
        """Give responses with their scores computed anew, with gradient."""
        queries = one_query_each(self.queries, examples)
        further = others(own) if Signal.IN_BATCH in self.needs else empty(len(own))
        rows = np.where(own.mask.cpu().numpy(), own.rows, -1)
        scores = self._scores(queries, np.concatenate([rows, further.rows], axis=1))
        further = replace(further, scores=scores[:, own.k :], mask=further.mask.to(scores.device))
        return Rescored(replace(own, scores=scores[:, : own.k], temperature=self.temperature), further)

    def loss(self, examples: Sequence[Example], rescored: Rescored, credit: Credit) -> Tensor:
        """Give the objective's weighted loss of each example, [B]; `ValueError` if there is no objective."""
        if self.feedback is None:
            raise ValueError("a retriever without an objective learns by the predictor's loss alone: choose Joint.")
        said, further = self._judged(examples, rescored, credit), self._in_batch(examples, rescored)
        return self.weight * self.feedback(_heard(rescored.own, credit), said, further)

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

    def _judged(self, examples: Sequence[Example], rescored: Rescored, credit: Credit) -> Credit:
        """Add what the objective needs of the judges."""
        given, own = self.needs & self.judges.gives, rescored.own
        if Signal.ITEM_UTILITY in given:
            credit = replace(credit, item_utility=self.judges.utility(examples, own))
        if Signal.ITEM_LIKELIHOOD in given:
            credit = replace(credit, item_log_likelihood=self.judges.likelihood(examples, own))
        if credit.samples is not None:
            credit = replace(credit, utilities=self.judges.samples(examples, credit.samples).to(own.scores))
        return credit

    def _in_batch(self, examples: Sequence[Example], rescored: Rescored) -> InBatch | None:
        """Give what the other examples retrieved, judged if anybody judges items."""
        if Signal.IN_BATCH not in self.needs:
            return None
        further, judged = rescored.others, Signal.ITEM_UTILITY in self.needs & self.judges.gives
        utility = self.judges.utility(examples, further) if judged else torch.zeros_like(further.scores)
        return InBatch(further.scores, further.mask, utility)


def _heard(own: Responses, credit: Credit) -> Responses:
    """Mask the items that a predictor did not read, of which it says -inf: they teach nothing."""
    said = credit.item_log_likelihood
    return own if said is None else replace(own, mask=own.mask & ~torch.isneginf(said).to(own.mask.device))
