"""A judge that scores items as another retriever or re-ranker does: what distillation imitates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.contract.access import QueryGenerator
from reml.contract.arguments.checked import checked
from reml.contract.examples import Example
from reml.contract.predictors import Judge, Predictor
from reml.contract.retrieved import Hits, Queries, Responses
from reml.contract.vectors import Float32Array, Int64Array

BATCH = 16


class Rescoring(Protocol):
    """Scores given rows of a collection: a retriever does, and a ranker over a collection."""

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Give the scores of rows [Q, K]; -inf for row -1."""


@dataclass(frozen=True, eq=False)
class Teacher:
    """Says of an item the score that a teacher gives it. retriever: of the same collection.

    queries: makes exactly one query for each example.
    """

    retriever: Rescoring
    queries: QueryGenerator = field(default_factory=InputQuery)

    @torch.no_grad()
    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the teacher's scores, float32 [B, K]."""
        scores = self.retriever.score(one_query_each(self.queries, examples), responses.rows)
        return scores.float().to(responses.mask.device).masked_fill(~responses.mask, 0.0)

    @torch.no_grad()
    def scores(self, examples: Sequence[Example], rows: Int64Array) -> Float32Array:
        """Give the teacher's scores of rows [B, K], -inf for row -1; `ValueError` if one is NaN."""
        scores = np.full(rows.shape, -np.inf, dtype=np.float32)
        for start in range(0, len(examples), BATCH):
            asked = one_query_each(self.queries, examples[start : start + BATCH])
            chunk = rows[start : start + BATCH]
            scores[start : start + BATCH] = self.retriever.score(asked, chunk).float().cpu().numpy()
        if np.isnan(scores).any():
            raise ValueError(f"{type(self.retriever).__name__} gave a score that is no number: it cannot teach.")
        return scores

    def reordered(self, examples: Sequence[Example], hits: Hits) -> Hits:
        """Give the same items in the teacher's order, with its scores."""
        return Hits.ranked(hits.rows, self.scores(examples, hits.rows), hits.k)


@checked()
@dataclass(frozen=True)
class TeacherScores:
    """Names the access model that judges: an item is as useful as it scores there. teacher: its name."""

    teacher: str

    @property
    def access(self) -> Sequence[str]:
        """The teacher."""
        return (self.teacher,)

    def open(self, predictor: Predictor, teachers: Mapping[str, Judge]) -> Judge:  # noqa: ARG002
        """Give the teacher of that name."""
        return teachers[self.teacher]
