"""Training a retriever by itself, from labels or from a teacher: any objective on item utilities, for any encoder.

The batch holds the items that each example is taught on, with their utilities in the place of scores: 1 and 0 from
labels, a teacher's scores under weak supervision (`reml.training.data.ranked_examples`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from reml.access.querying.query_generators import InputQuery, one_query_each
from reml.contract.access import QueryGenerator
from reml.contract.examples import Answer, Item, Provenance
from reml.contract.predictors import Batch, Feedback
from reml.contract.retrieved import Responses
from reml.contract.retrievers import TrainableEncoder
from reml.contract.signals import Credit, InBatch, Signal
from reml.contract.vectors import SparseVectors
from reml.training.regimes.regimes import Regime
from reml.training.regimes.sparsity import Regulariser, SparsityWatch
from reml.training.scale.in_batch_negatives import batch_items
from reml.training.scale.shared_items import SharedItems


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
    """Train an encoder so that the dot products of queries and items put useful items first.

    size: items of the collection, for the expected postings of sparse vectors.
    """

    def __init__(self, encoder: TrainableEncoder, teaching: RankingObjective, size: int) -> None:
        super().__init__()
        self.retriever = encoder.module
        self.predictor = Reranker(encoder, teaching.queries)
        self._encoder, self._teaching = encoder, teaching
        nothing = encoder.encode_queries([])
        self.watch = SparsityWatch(nothing.width, size) if isinstance(nothing, SparseVectors) else None

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the objective's loss and those of the regularisers."""
        items = batch_items(batch.read)
        compared = compare(SharedItems(self._encoder), self._teaching.queries, batch, items)
        if self.watch is not None:
            self.observed = self.watch(compared.queries, compared.items)
        losses = {"ranking": self._ranked(compared, batch.read.scores)}
        for regulariser in self._teaching.regularisers:
            losses[regulariser.name] = regulariser.loss(compared.queries, compared.items, compared.own)
        return losses

    def _ranked(self, compared: Compared, utility: Tensor) -> Tensor:
        products, mask = compared.queries @ compared.items.T, compared.mask  # [B, N], [B, K]
        nothing = torch.zeros_like(products)
        credit = Credit(item_utility=utility.to(products).masked_fill(~mask, 0.0))
        scores = products.gather(1, compared.places).masked_fill(~mask, -torch.inf)
        others = InBatch(products, compared.unrelated, nothing)
        return self._teaching.objective(Responses.of_scores(scores, mask), credit, others)


@dataclass(frozen=True, eq=False, slots=True)
class Compared:
    """Queries [B, D] and the N distinct items [N, D] of a batch.

    places: where the items of each query stand among the N, [B, K]; mask: [B, K]. pages: the page of each item as a
    number, [N].
    """

    queries: Tensor
    items: Tensor
    places: Tensor
    mask: Tensor
    pages: Tensor

    @property
    def own(self) -> Tensor:
        """Whether an item is one of a query's own, bool [B, N]."""
        counts = torch.zeros(len(self.queries), len(self.items), device=self.mask.device)
        return counts.scatter_add_(1, self.places, self.mask.to(counts)) > 0

    @property
    def unrelated(self) -> Tensor:
        """Whether an item is of no page that a query has an item of, bool [B, N]: other passages may be as good."""
        same = (self.pages[:, None] == self.pages[None, :]).float()  # [N, N]
        return self.own.float() @ same == 0


def compare(
    encoder: TrainableEncoder, queries: QueryGenerator, batch: Batch, items: Mapping[int, Item] | None = None
) -> Compared:
    """Encode the queries of a batch and distinct items by row, those of the batch if none are given, with gradient."""
    responses = batch.read
    by_row = items if items is not None else {item.row: item for held in responses.items for item in held}
    rows = np.array(sorted(by_row), dtype=np.int64)
    distinct = [by_row[row] for row in rows.tolist()]
    pages = np.unique([item.page_id for item in distinct], return_inverse=True)[1]
    asked = encoder.query_vectors(one_query_each(queries, batch.examples).texts)
    vectors = encoder.item_vectors(distinct)
    places = np.where(responses.mask.cpu().numpy(), np.searchsorted(rows, responses.rows), 0)
    device = vectors.device
    return Compared(
        asked,
        vectors,
        torch.from_numpy(places).to(device),
        responses.mask.to(device),
        torch.from_numpy(pages).to(device),
    )


class Reranker:
    """Answers with the items it is given, best first by their dot products with the query: how training is judged."""

    def __init__(self, encoder: TrainableEncoder, queries: QueryGenerator) -> None:
        self._encoder, self._queries = encoder, queries

    @torch.no_grad()
    def generate(self, batch: Batch) -> list[Answer]:
        """Give one answer for each example: no text, the items as provenance. Ties keep the order they came in."""
        compared = compare(self._encoder, self._queries, batch)
        products = (compared.queries @ compared.items.T).gather(1, compared.places)
        scores = products.masked_fill(~compared.mask, -torch.inf)
        order = scores.argsort(dim=1, descending=True, stable=True).tolist()
        return [
            Answer(None, tuple(Provenance.of(items[place]) for place in places[: len(items)]))
            for items, places in zip(batch.read.items, order, strict=True)
        ]
