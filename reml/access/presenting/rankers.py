"""Processors whose scorer is a ranker of the experiment, by its name: they are given it when an access model opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from reml.access.presenting.processors import First
from reml.access.presenting.rerank import Rerank
from reml.access.presenting.scoring import scores_of
from reml.access.responses import gather
from reml.contract.access import ResponseProcessor, ScoredProcessor
from reml.contract.collections import Collection
from reml.contract.retrieved import Hits, Queries
from reml.contract.retrievers import Scorer
from reml.contract.vectors import Int64Array

if TYPE_CHECKING:
    from torch import Tensor


def named_rankers(processors: Sequence[ResponseProcessor]) -> list[str]:
    """Name the rankers that processors ask, each once, in order."""
    asked = [one.scorer for one in processors if isinstance(one, ScoredProcessor)]
    return list(dict.fromkeys(scorer for scorer in asked if isinstance(scorer, str)))


def with_rankers(
    processors: Sequence[ResponseProcessor], rankers: Mapping[str, Scorer]
) -> tuple[ResponseProcessor, ...]:
    """Give the processors, each that names a ranker with that."""

    def given(one: ResponseProcessor) -> ResponseProcessor:
        if isinstance(one, ScoredProcessor) and isinstance(one.scorer, str):
            return one.with_scorer(rankers[one.scorer])
        return one

    return tuple(given(one) for one in processors)


def last_ranker(processors: Sequence[ResponseProcessor]) -> Scorer | str | None:
    """Give the scorer that says the order in the end, nothing where no processor ranks anew."""
    return next((one.scorer for one in reversed(processors) if isinstance(one, Rerank)), None)


def check_kept(processors: Sequence[ResponseProcessor], depth: int, access: str) -> None:
    """Raise `ValueError` if a stage of an access model keeps more than it is given. depth: of the search."""
    given, whose = depth, "the depth of the search is"
    whom = f"access model {access!r}: " if access else ""
    for one in processors:
        keeps = one.keep if isinstance(one, Rerank) else one.k if isinstance(one, First) else None
        if keeps is None:
            continue
        name = type(one).__name__
        if keeps > given:
            raise ValueError(
                f"{whom}{name} keeps {keeps} items of a query, but {whose} {given}: let it keep no more, or raise "
                "that number."
            )
        given, whose = keeps, f"the {name} before it keeps"


@dataclass(frozen=True, eq=False)
class RowScorer:
    """Scores rows of a collection by a scorer, as a retriever does."""

    collection: Collection
    scorer: Scorer | str

    def score(self, queries: Queries, rows: Int64Array) -> Tensor:
        """Give the scores of rows [Q, K], without gradient; -inf for row -1."""
        nothing = np.zeros(rows.shape, dtype=np.float32)
        return scores_of(self.scorer, queries, gather(self.collection, Hits(rows, nothing)))
