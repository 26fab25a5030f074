"""Training a retriever by itself, from labels or from a teacher: any objective on item utilities, for any scorer.

The batch holds the items that each example is taught on, with their utilities in the place of scores: 1 and 0 from
labels, a teacher's scores under weak supervision (`reml.training.data.ranked_examples`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.access.similarity import EncoderScorer, encoded, similarities
from reml.contract.access import QueryGenerator
from reml.contract.arguments.checked import checked
from reml.contract.examples import Answer, Item, Provenance
from reml.contract.predictors import Batch, Feedback
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer
from reml.contract.signals import Credit, InBatch, Signal
from reml.contract.vectors import Int64Array, SparseVectors
from reml.training.regimes.regimes import Regime
from reml.training.regimes.sparsity import Regulariser, SparsityWatch
from reml.training.scale.in_batch_negatives import batch_items
from reml.training.scale.shared_items import SharedItems


@checked()
@dataclass(frozen=True, eq=False)
class RankingObjective:
    """What a retriever is taught by. queries: makes exactly one query for each example."""

    objective: Feedback
    regularisers: Sequence[Regulariser] = ()
    queries: QueryGenerator = field(default_factory=InputQuery)

    def __post_init__(self) -> None:
        wanted = self.objective.needs & ~(Signal.ITEM_UTILITY | Signal.IN_BATCH)
        if wanted:
            raise ValueError(
                f"{self.objective!r} needs {wanted} of a predictor, and a retriever trained by itself has none: "
                "choose an objective on item utilities, such as Rank, RankProb, Contrastive or MarginMse."
            )


class Ranking(Regime):
    """Train a scorer to put useful items first.

    Where it scores by vectors, an item that several queries have is encoded once, regularisers see the vectors, and a
    watch follows sparse ones. Any other scores the items of a query alone, and those of the whole batch for an
    objective with in-batch negatives. size: items of the collection, for the expected postings of sparse vectors.
    """

    def __init__(self, scorer: Scorer, teaching: RankingObjective, size: int) -> None:
        super().__init__()
        self.retriever = _learning(scorer)
        self.predictor = Reranker(scorer, teaching.queries)
        self._scorer, self._teaching = _shared(scorer), teaching
        self.watch = None
        if isinstance(scorer, EncoderScorer):
            nothing = scorer.encoder.encode_queries([])
            self.watch = SparsityWatch(nothing.width, size) if isinstance(nothing, SparseVectors) else None
        elif teaching.regularisers:
            names = ", ".join(regulariser.name for regulariser in teaching.regularisers)
            raise ValueError(f"{type(scorer).__name__} makes no vectors for {names} to keep sparse: leave it out.")

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the objective's loss and those of the regularisers."""
        items = batch_items(batch.read)
        everything = Signal.IN_BATCH in self._teaching.objective.needs
        compared = compare(self._scorer, self._teaching.queries, batch, items, everything=everything)
        losses = {"ranking": self._ranked(compared, batch.read.scores)}
        if compared.vectors is not None:
            queries, vectors = compared.vectors
            if self.watch is not None:
                self.observed = self.watch(queries, vectors)
            for regulariser in self._teaching.regularisers:
                losses[regulariser.name] = regulariser.loss(queries, vectors, compared.own)
        return losses

    def _ranked(self, compared: Compared, utility: Tensor) -> Tensor:
        scores, mask = compared.scores, compared.mask  # [B, N], [B, K]
        nothing = torch.zeros_like(scores)
        credit = Credit(item_utility=utility.to(scores).masked_fill(~mask, 0.0))
        own = scores.gather(1, compared.positions).masked_fill(~mask, -torch.inf)
        others = InBatch(scores, compared.unrelated, nothing)
        return self._teaching.objective(Responses.of_scores(own, mask), credit, others)


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Scores [B, N] of B queries and the N distinct items of a batch; -inf where the scorer was not asked.

    positions: where the items of each query stand among the N, [B, K]; mask: [B, K]. pages: the page of each item as a
    number, [N]. vectors: of the queries and of the items, where the scorer has any.
    """

    scores: Tensor
    positions: Tensor
    mask: Tensor
    pages: Tensor
    vectors: tuple[Tensor, Tensor] | None

    @property
    def own(self) -> Tensor:
        """Whether an item is one of a query's own, bool [B, N]."""
        counts = torch.zeros(self.scores.shape, device=self.mask.device)
        return counts.scatter_add_(1, self.positions, self.mask.to(counts)) > 0

    @property
    def unrelated(self) -> Tensor:
        """Whether an item is of no page that a query has an item of, bool [B, N]: other passages may be as good."""
        same = (self.pages[:, None] == self.pages[None, :]).float()  # [N, N]
        return self.own.float() @ same == 0


def compare(
    scorer: Scorer,
    queries: QueryGenerator,
    batch: Batch,
    items: Mapping[int, Item] | None = None,
    *,
    everything: bool = False,
) -> Compared:
    """Score the queries of a batch and distinct items by row, those of the batch if none are given, with gradient.

    everything: score each query with each item; a scorer that makes vectors always does.
    """
    distinct, positions = numbered(batch.read, items)
    pages = np.unique([item.page_id for item in distinct], return_inverse=True)[1]
    scores, vectors = _scored(scorer, one_query_each(queries, batch.examples), distinct, positions, everything)
    return Compared(
        scores,
        torch.from_numpy(np.maximum(positions, 0)).to(scores.device),
        batch.read.mask.to(scores.device),
        torch.from_numpy(pages).to(scores.device),
        vectors,
    )


def numbered(responses: Responses, items: Mapping[int, Item] | None = None) -> tuple[list[Item], Int64Array]:
    """Give distinct items by row, these or those of all lists, and where each list's stand among them, [B, K]."""
    by_row = items if items is not None else {item.row: item for held in responses.items for item in held}
    rows = np.array(sorted(by_row), dtype=np.int64)
    positions = np.where(responses.mask.cpu().numpy(), np.searchsorted(rows, responses.rows), -1)
    return [by_row[row] for row in rows.tolist()], positions


def _scored(
    scorer: Scorer, queries: Queries, items: Sequence[Item], positions: Int64Array, everything: bool
) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
    """Give the scores of queries and items, [B, N], and the vectors they were made of."""
    if isinstance(scorer, EncoderScorer) and scorer.trainable is not None:
        vectors = encoded(scorer.trainable, queries, items)
        return similarities(*vectors, scorer.trainable.similarity), vectors
    if everything:
        return scorer.score(queries, items, np.tile(np.arange(len(items)), (len(queries), 1))), None
    scores = scorer.score(queries, items, positions)  # [B, K]
    index = torch.from_numpy(np.where(positions < 0, len(items), positions)).to(scores.device)
    whole = scores.new_full((len(queries), len(items) + 1), -torch.inf)
    return whole.scatter(1, index, scores)[:, :-1], None  # padding went to the last position: [B, N + 1] -> [B, N]


def _learning(scorer: Scorer) -> nn.Module:
    if scorer.module is None:
        raise ValueError(f"{type(scorer).__name__} has no parameters to train: choose a scorer or encoder that has.")
    return scorer.module


def _shared(scorer: Scorer) -> Scorer:
    """Let every device encode its share of the items of a batch."""
    if isinstance(scorer, EncoderScorer) and scorer.trainable is not None:
        return EncoderScorer(SharedItems(scorer.trainable))
    return scorer


class Reranker:
    """Answers with the items it is given, best first by their scores with the query: how training is judged."""

    def __init__(self, scorer: Scorer, queries: QueryGenerator) -> None:
        self._scorer, self._queries = scorer, queries

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Give one answer for each example: no text, the items as provenance. Ties keep the order they came in."""
        compared = compare(self._scorer, self._queries, batch)
        scores = compared.scores.gather(1, compared.positions).masked_fill(~compared.mask, -torch.inf)
        order = scores.argsort(dim=1, descending=True, stable=True).tolist()
        return [
            Answer(None, tuple(Provenance.of(items[place]) for place in places[: len(items)]))
            for items, places in zip(batch.read.items, order, strict=True)
        ]
