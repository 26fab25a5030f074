"""Access models, and what they find for all examples of a split."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from reml.access.composed_access import FusedAccess, NoAccess
from reml.access.information_access import InformationAccess
from reml.access.limits import Limits
from reml.access.presenting.rankers import RowScorer, last_ranker, with_rankers
from reml.access.rank_fusion import FUSIONS, Fusing
from reml.access.steps import watched
from reml.contract.access import FeedbackHandler, QueryExpansion, QueryGenerator, ResponseProcessor, ScoredProcessor
from reml.contract.examples import Example
from reml.contract.retrieved import Hits
from reml.contract.retrievers import ExplainingRetriever, KeepingScorer, Retriever, Scorer
from reml.experiment.plan.collections import Examples
from reml.experiment.plan.node import Node, group
from reml.feedback.judges.teacher import Teacher
from reml.files.atomic import write_json
from reml.files.hits import open_hits, save_hits

_LOG = logging.getLogger(__name__)
STEPS = "steps.json"
# Where in a home scorers keep what they make of items.
KEPT = "kept"
Model = InformationAccess | FusedAccess | NoAccess


class Rankers(Protocol):
    """Makes one scorer as often as it is asked, an object of its own each time."""

    def scorer(self) -> Scorer:
        """Make the scorer, ready to score."""


@dataclass(frozen=True)
class Chain:
    """What an access model does beside searching: all that its hits depend on."""

    queries: QueryGenerator
    expansion: QueryExpansion | None = None
    processors: Sequence[ResponseProcessor] = ()


def access(
    name: str,
    retriever: Node[Retriever],
    chain: Chain,
    limits: Limits,
    rankers: Mapping[str, Node[Rankers]],
    *,
    feedback: FeedbackHandler | None = None,
    stores: bool = False,
    home: Path,
) -> Node[Model]:
    """Give an access model. It is opened anew each time: it would keep a trained model in memory.

    rankers: those that its processors name. One that stores begins so; what is written to it lies with the predictions
    that wrote it. home: where its scorers may keep what they make of items (`KeepingScorer`).
    """
    return Node(
        kind="access",
        name=name,
        open=_open,
        inputs=(retriever, group(rankers)) if rankers else (retriever,),
        given={"chain": chain},
        beside={"limits": limits, "name": name, "feedback": feedback, "home": home},
        marks="stores" if stores else None,
        keep=0,
    )


def fused_access(name: str, parts: Sequence[Node[Model]], limits: Limits, fusing: Fusing) -> Node[Model]:
    """Give what asks several access models and fuses their rankings."""
    beside = {"limits": limits, "name": name}
    return Node(kind="access", name=name, open=_fused, inputs=parts, given=_by(fusing), beside=beside, keep=0)


def no_access(name: str, collection: Node[Any]) -> Node[Model]:
    """Give what finds nothing."""
    return Node(kind="access", name=name, open=NoAccess, inputs=(collection,), beside={"name": name}, keep=0)


def teacher(name: str, retriever: Node[Retriever], queries: QueryGenerator) -> Node[Teacher]:
    """Give what scores given items as an access model would."""
    return Node(kind="teachers", name=name, open=Teacher, inputs=(retriever,), given={"queries": queries}, keep=0)


def ranking_teacher(name: str, asked: Node[Model], queries: QueryGenerator) -> Node[Teacher]:
    """Give what scores given items as the last ranker of an access model would."""
    return Node(kind="teachers", name=name, open=_ranking, inputs=(asked,), given={"queries": queries}, keep=0)


def hits(name: str, asked: Node[Model], of: Node[Examples], depth: int) -> Node[Hits]:
    """Give the hits of all examples, [B, depth]."""
    return Node(kind="hits", name=name, make=_search, open=open_hits, inputs=(asked, of), given={"depth": depth})


def fused_hits(
    name: str, parts: Sequence[Node[Hits]], of: Node[Examples], depth: int, fusing: Fusing = "reciprocal_rank"
) -> Node[Hits]:
    """Fuse the hits of the same examples, [B, depth]; of nothing, [B, 0]."""
    return Node(kind="fused", name=name, open=_fuse, inputs=(of, *parts), given={"depth": depth, **_by(fusing)})


def _by(fusing: Fusing) -> dict[str, Fusing]:
    """Give a way of fusing as an argument where it is not the usual one, so that keys of what was made stay."""
    return {} if fusing == "reciprocal_rank" else {"fusing": fusing}


def _open(
    retriever: Retriever,
    rankers: Mapping[str, Rankers] | None = None,
    *,
    chain: Chain,
    limits: Limits,
    name: str,
    feedback: FeedbackHandler | None,
    home: Path,
) -> InformationAccess:
    scorers = {name: one.scorer() for name, one in (rankers or {}).items()}
    processors = with_rankers(chain.processors, scorers)
    for one in processors:
        if isinstance(one, ScoredProcessor) and isinstance(one.scorer, KeepingScorer):
            one.scorer.keep(retriever.collection, home / KEPT)
    return InformationAccess(
        retriever,
        chain.queries,
        expansion=chain.expansion,
        processors=processors,
        feedback=feedback,
        limits=limits,
        name=name,
    )


def _ranking(asked: InformationAccess, *, queries: QueryGenerator) -> Teacher:
    scorer = last_ranker(asked.processors)
    assert scorer is not None  # noqa: S101 - asked only of access models that rank
    return Teacher(RowScorer(asked.collection, scorer), queries)


def _fused(*parts: InformationAccess, limits: Limits, name: str, fusing: Fusing = "reciprocal_rank") -> FusedAccess:
    return FusedAccess(parts, limits, name, fusing=fusing)


def _search(folder: Path, asked: Model, of: Examples, *, depth: int) -> None:
    asked.search(of[:1], depth)  # what a first use takes, to compile and to load, is no query's cost
    with watched() as steps:
        found = asked.search(of, depth)
    write_json(folder / STEPS, [{**asdict(step), "examples": len(of)} for step in steps])
    save_hits(folder, found)
    unanswered = np.flatnonzero(~found.mask.any(axis=1))
    if found.k and len(unanswered):
        first = of[int(unanswered[0])]
        _LOG.warning(
            "%s finds nothing for %d of %d questions; for the first of them, %r: %s.",
            *(asked.name, len(unanswered), len(of), first.id, _why_nothing(asked, first)),
        )


def _why_nothing(asked: Model, example: Example) -> str:
    """Say why an access model found nothing, as far as its retriever can tell."""
    if isinstance(asked, InformationAccess) and isinstance(asked.retriever, ExplainingRetriever):
        return asked.retriever.why_nothing(asked.queries([example]).texts[0])
    return "no passage matches it"


def _fuse(of: Examples, *parts: Hits, depth: int, fusing: Fusing = "reciprocal_rank") -> Hits:
    there = sum(part.k for part in parts)
    return FUSIONS[fusing](parts, min(depth, there)) if parts else Hits.empty(len(of))
