"""Pairs of a query and an item, as rankers that read both at once are asked for their scores."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
import torch
from torch import Tensor

from reml.contract.examples import Item, texts_of
from reml.contract.retrieved import Queries
from reml.contract.vectors import Int64Array
from reml.retrievers.rankers.windows import Windows, shown

_LOG = logging.getLogger(__name__)
Pair = tuple[str, str]


@final
@dataclass(frozen=True, eq=False)
class Pairs:
    """The P pairs that positions [Q, K] name, row by row: the text of each query, and the item."""

    asked: list[str]
    items: list[Item]
    positions: Int64Array

    @classmethod
    def of(cls, queries: Queries, items: Sequence[Item], positions: Int64Array, reader: object) -> Pairs:
        """Take the pairs of Q queries and N items; `ValueError` for queries that are no texts. reader: who is asked."""
        rows, places = np.nonzero(positions >= 0)
        texts = texts_of(queries.said, reader)
        return cls([texts[row] for row in rows], [items[place] for place in positions[rows, places]], positions)

    def places(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Give the row and the column of each pair among the positions, [P] both."""
        rows, columns = (torch.from_numpy(index).to(device) for index in np.nonzero(self.positions >= 0))
        return rows, columns

    def placed(self, scores: Tensor, model: str) -> Tensor:
        """Put scores [P] where they were asked for, [Q, K], -inf at -1; `ValueError` names one that is not finite."""
        at = self.places(scores.device)
        wrong = ~torch.isfinite(scores.detach())
        if bool(wrong.any()):
            pair = int(wrong.nonzero()[0])
            raise ValueError(
                f"{model!r} scores the item {self.items[pair].row} ({self.items[pair].title[:60]!r}), at position "
                f"[{at[0][pair]}, {at[1][pair]}], with {scores[pair].item()} for the query {self.asked[pair][:60]!r}: "
                "its weights are damaged, have diverged, or need `precision: float32`."
            )
        whole = torch.full(self.positions.shape, -torch.inf, device=scores.device)
        return whole.index_put(at, scores)


class Reader(Protocol):
    """Reads a query and a text at once."""

    @property
    def model(self) -> str:
        """Its name in messages."""

    @property
    def windows(self) -> Windows | None:
        """How items are read in several parts, if they are."""

    @property
    def title(self) -> bool:
        """Whether an item's title stands before its text."""

    def read(self, pairs: Sequence[Pair]) -> Tensor:
        """Score pairs, float32 [P]."""


def score_read(reader: Reader, queries: Queries, items: Sequence[Item], positions: Int64Array) -> Tensor:
    """Score as `Scorer.score` does what is read of items: all of each at once, or its windows."""
    pairs = Pairs.of(queries, items, positions, reader)
    texts = shown(pairs.items, reader.windows, title=reader.title)
    scores = reader.read([(asked, text) for asked, parts in zip(pairs.asked, texts, strict=True) for text in parts])
    if reader.windows is not None:
        scores = reader.windows.combined(scores, [len(parts) for parts in texts])
    return pairs.placed(scores, reader.model)


@final
class CutNotice:
    """Says once that a text was cut, and what to do about it; nothing is said of texts that were read whole.

    windows: whether items are read in windows already.
    """

    def __init__(self, model: str, *, windows: bool) -> None:
        self._model, self.said = model, False
        self._advice = (
            "Choose fewer `words` of a window" if windows else "Set `windows`, or cut items into shorter passages,"
        )

    def say(self, query: str, tokens: int, limit: int, cut: str) -> None:
        """Warn, the first time, of a query whose pair has more tokens than the limit. cut: what is left out."""
        if not self.said and tokens > limit:
            self.said = True
            _LOG.warning(
                "%r reads %d tokens of a query and an item together. Of the query %r and its item, which have %d, and "
                "of others that are too long, %s. %s to have all read (this is said once).",
                self._model,
                limit,
                query[:60],
                tokens,
                cut,
                self._advice,
            )
