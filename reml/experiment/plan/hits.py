"""What access models find: for one question, and for all examples of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reml.access.information_access import InformationAccess
from reml.access.querying.query_generators import ExpandedQuery
from reml.access.rank_fusion import reciprocal_rank_fusion
from reml.access.responses import empty, respond
from reml.contract.access import QueryExpansion, QueryGenerator, ResponseProcessor
from reml.contract.collections import Collection
from reml.contract.examples import Example
from reml.contract.retrieved import Hits, Responses
from reml.contract.retrievers import Retriever
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.node import Node
from reml.feedback.judges.teacher import Teacher
from reml.files.hits import open_hits, save_hits


class Searcher(Protocol):
    """Asks an access model."""

    def search(self, examples: Sequence[Example], k: int) -> Hits:
        """Give at most k items for each example, [B, k]; [B, 0] if it retrieves nothing."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Makes queries, expands them and searches."""

    retriever: Retriever
    queries: QueryGenerator
    expansion: QueryExpansion | None = None

    def search(self, examples: Sequence[Example], k: int) -> Hits:
        """Give the best items of the queries."""
        expansion = self.expansion
        queries = self.queries if expansion is None else ExpandedQuery(self.queries, expansion, self.retriever)
        return InformationAccess(self.retriever, queries).search(examples, k)


@dataclass(frozen=True, eq=False)
class Fused:
    """Fuses the rankings of others; of none, it finds nothing."""

    parts: Sequence[Searcher] = ()

    def search(self, examples: Sequence[Example], k: int) -> Hits:
        """Give the best items of the fused rankings."""
        if not self.parts:
            return _nothing(len(examples))
        return reciprocal_rank_fusion([part.search(examples, k) for part in self.parts], k)


def searcher(
    name: str, retriever: Node[Retriever], queries: QueryGenerator, expansion: QueryExpansion | None
) -> Node[Searcher]:
    """Give what asks a retriever. It is opened anew each time: it would keep a trained model in memory."""
    return Node(
        kind="access",
        name=name,
        open=Chain,
        inputs=(retriever,),
        given={"queries": queries, "expansion": expansion},
        keep=0,
    )


def fused_searcher(name: str, parts: Sequence[Node[Searcher]]) -> Node[Searcher]:
    """Give what asks several access models and fuses; without any, what finds nothing."""
    return Node(kind="access", name=name, open=lambda *opened: Fused(opened), inputs=parts, keep=0)


def teacher(name: str, retriever: Node[Retriever], queries: QueryGenerator) -> Node[Teacher]:
    """Give what scores given items as an access model would."""
    return Node(kind="teachers", name=name, open=Teacher, inputs=(retriever,), given={"queries": queries}, keep=0)


def hits(name: str, asked: Node[Searcher], of: Node[Examples], depth: int) -> Node[Hits]:
    """Give the hits of all examples, [B, depth]."""
    return Node(kind="hits", name=name, make=_search, open=open_hits, inputs=(asked, of), given={"depth": depth})


def fused_hits(name: str, parts: Sequence[Node[Hits]], of: Node[Examples], depth: int) -> Node[Hits]:
    """Fuse the hits of the same examples, [B, depth]; of nothing, [B, 0]."""
    return Node(kind="fused", name=name, open=_fuse, inputs=(of, *parts), given={"depth": depth})


def received(collection: Collection, processors: Sequence[ResponseProcessor], examples: Any, hits: Hits) -> Responses:
    """Give what a predictor receives for these hits."""
    return respond(collection, examples, hits, processors) if hits.k else empty(len(examples))


def _search(folder: Path, asked: Searcher, of: Examples, *, depth: int) -> None:
    save_hits(folder, asked.search(of, depth))


def _fuse(of: Examples, *parts: Hits, depth: int) -> Hits:
    return reciprocal_rank_fusion(parts, depth) if parts else _nothing(len(of))


def _nothing(count: int) -> Hits:
    return Hits(np.empty((count, 0), dtype=np.int64), np.empty((count, 0), dtype=np.float32))
