"""The contract test of a scorer."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch

from reml.contract.examples import Item
from reml.contract.retrieved import Queries
from reml.contract.retrievers import Scorer
from reml.testing.contract import Contract
from reml.testing.memory_collection import TEXTS, MemoryCollection

POSITIONS = np.array([[0, 2, -1], [3, 1, 2]])


class ScorerContract(Contract, ABC):
    """What every scorer must do, over a small collection of English texts."""

    @abstractmethod
    def make(self) -> Scorer:
        """Make the scorer, in evaluation."""

    def test_scores_stand_where_they_were_asked_for(self) -> None:
        """Scores are [Q, K], finite at items and -inf at -1."""
        scores = self.make().score(Queries.of(TEXTS[:2]), self._items(), POSITIONS).detach()
        assert scores.shape == POSITIONS.shape
        assert scores.isfinite().tolist() == (POSITIONS >= 0).tolist()
        assert scores[0, 2] == -torch.inf

    def test_a_pair_scores_the_same_wherever_it_stands(self) -> None:
        """Neither the order of the items nor what else is asked changes a score."""
        scorer, queries, items = self.make(), Queries.of(TEXTS[:2]), self._items()
        before = scorer.score(queries, items, POSITIONS).detach()
        turned = np.where(POSITIONS >= 0, len(items) - 1 - POSITIONS, -1)
        torch.testing.assert_close(scorer.score(queries, items[::-1], turned).detach(), before, rtol=1e-2, atol=1e-2)
        alone = scorer.score(queries, items, POSITIONS[:, 1:2]).detach()
        torch.testing.assert_close(alone, before[:, 1:2], rtol=1e-2, atol=1e-2)

    def test_no_items_have_no_scores(self) -> None:
        """Padding alone is -inf."""
        scores = self.make().score(Queries.of(TEXTS[:2]), [], np.full((2, 3), -1))
        assert scores.tolist() == [[-torch.inf] * 3] * 2

    def test_what_is_trained_has_a_gradient(self) -> None:
        """Scores lead to the parameters, where there are any."""
        scorer = self.make()
        if scorer.module is None:
            return
        scores = scorer.score(Queries.of(TEXTS[:2]), self._items(), POSITIONS)
        scores[torch.from_numpy(POSITIONS >= 0)].sum().backward()  # type: ignore[no-untyped-call]
        assert any(parameter.grad is not None for parameter in scorer.module.parameters())

    def _items(self) -> list[Item]:
        return MemoryCollection(TEXTS[:4]).get(np.arange(4))
