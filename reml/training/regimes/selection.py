"""Training what selects the windows of long items, by the windows' scores from what reads them: a cascade's last stage.

Hofstaetter et al., "Intra-Document Cascading", SIGIR 2021, section 3.3, https://arxiv.org/abs/2105.09816: the reader is
frozen and scores all windows of an item; the selector learns by an objective on these, for which an item is what a
query is elsewhere, and its windows are the list. The paper's objective is NDCG-Loss2 (`LambdaLoss` with `top`); its
code has MSE and KL, too (`ScoreMse`, `KlDistillation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

from reml.access.querying.query_generators import one_query_each
from reml.contract.examples import Item
from reml.contract.predictors import Batch
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer
from reml.contract.signals import Credit, Signal
from reml.contract.vectors import Int64Array
from reml.training.regimes.ranking import RankingObjective, Reranker, numbered
from reml.training.regimes.regimes import Regime


@runtime_checkable
class WindowScorer(Protocol):
    """What a `Scorer` has beside that reads only those windows of an item which a part of it selects."""

    def window_scores(self, queries: Queries, items: Sequence[Item], positions: Int64Array) -> tuple[Tensor, Tensor]:
        """Give the selector's scores of all windows, with gradient, and the reader's, without, [Q, K, W] both.

        They are -inf where there is no window.
        """


class Cascading(WindowScorer, Scorer, Protocol):
    """A scorer that reads the windows of an item that a part of it selects."""

    @property
    def module(self) -> nn.Module:
        """All of it; the selector is a part."""

    @property
    def selector(self) -> nn.Module:
        """What is trained."""


class Selection(Regime):
    """Train a selector to choose the windows that its reader, which stays as it is, scores best.

    teaching: its objective learns from utilities of items, here the reader's scores of windows. Dev sets are judged by
    the order of the whole scorer: let it select, or it reads all. Logged: `agreement`, the share of the reader's best
    `best` windows that the selector has among its own, of items with more windows than that.
    """

    def __init__(self, scorer: Cascading, teaching: RankingObjective, best: int = 3) -> None:
        super().__init__()
        if teaching.regularisers or Signal.IN_BATCH in teaching.objective.needs:
            raise ValueError(
                "the windows of an item have no vectors to keep sparse and no other items' beside them: leave "
                "regularisers out, and choose LambdaLoss, KlDistillation or ScoreMse."
            )
        if best < 1:
            raise ValueError(f"best is a number of windows, 1 or more, not {best}.")
        scorer.module.requires_grad_(False)
        scorer.selector.requires_grad_(True)
        self.retriever, self.predictor = scorer.module, Reranker(scorer, teaching.queries)
        self._scorer, self._teaching, self._best = scorer, teaching, best

    def train(self, mode: bool = True) -> Self:
        """Put the selector, and never the reader, in training mode."""
        super().train(mode)
        self.retriever.eval()
        self._scorer.selector.train(mode)
        return self

    def forward(self, batch: Batch) -> Mapping[str, Tensor]:
        """Give the objective's loss, the mean over the items of each example, [B]."""
        items, positions = numbered(batch.read)
        queries = one_query_each(self._teaching.queries, batch.examples)
        student, teacher = self._scorer.window_scores(queries, items, positions)  # [B, K, W]
        scores, taught = student.flatten(0, 1), teacher.flatten(0, 1)  # [B, K, W] -> [B*K, W]
        mask = taught != -torch.inf
        self.observed = {"agreement": agreement(scores, taught, self._best)}
        credit = Credit(item_utility=taught.masked_fill(~mask, 0.0))
        losses = self._teaching.objective(Responses.of_scores(scores, mask), credit, None).view(positions.shape)
        held = mask.any(dim=1).view(positions.shape)
        return {"selection": (losses * held).sum(dim=1) / held.sum(dim=1).clamp(min=1)}


@torch.no_grad()
def agreement(scores: Tensor, teacher: Tensor, best: int) -> Tensor:
    """Give the share of a teacher's best windows that are among as many best by scores [n, W], -inf being none.

    Of rows with more windows than that; 1 if there is none, as all windows are chosen then.
    """
    wide = (teacher != -torch.inf).sum(dim=1) > best
    if not bool(wide.any()):
        return torch.ones((), device=scores.device)
    chosen, right = (values[wide].topk(best, dim=1).indices for values in (scores, teacher))
    return (chosen[:, :, None] == right[:, None, :]).any(dim=1).float().mean()
