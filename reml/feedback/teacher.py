"""A judge that scores items as another retriever or re-ranker does: what distillation imitates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from reml.protocols import QueryGenerator, Retriever
from reml.queries import InputQuery
from reml.training.regimes import one_query_each
from reml.types import Example, Responses


@dataclass(frozen=True, eq=False)
class Teacher:
    """Says of an item the score that a teacher gives it. retriever: of the same collection; only its `score` is used.

    queries: makes exactly one query for each example.
    """

    retriever: Retriever
    queries: QueryGenerator = field(default_factory=InputQuery)

    @torch.no_grad()
    def __call__(self, examples: Sequence[Example], responses: Responses) -> Tensor:
        """Give the teacher's scores, float32 [B, K]."""
        scores = self.retriever.score(one_query_each(self.queries, examples), responses.rows)
        return scores.float().to(responses.mask.device).masked_fill(~responses.mask, 0.0)
