"""Reranking: what a search found, put in the order of a scorer that is too slow to search with."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from reml.access.presenting.processors import keep as kept
from reml.contract.arguments.checked import checked
from reml.contract.retrieved import Queries, Responses
from reml.contract.retrievers import Scorer

if TYPE_CHECKING:
    from torch import Tensor


@checked()
class Rerank:
    """Orders responses by a scorer, ties by their former places, and keeps the `keep` best of each query.

    The scores become the scorer's, without gradient or dropout.
    """

    def __init__(self, scorer: Scorer, keep: int | None = None) -> None:
        if keep is not None and keep < 1:
            raise ValueError(f"keep is a number of items, 1 or more, not {keep}.")
        self.scorer = scorer
        self.keep = keep

    def __call__(self, queries: Queries, responses: Responses) -> Responses:
        """Give the responses in their new order; `ValueError` if there is not one row of them for each query."""
        if len(queries) != len(responses):
            raise ValueError(f"{len(responses)} rows of responses are not those of {len(queries)} queries.")
        scores = self._scores(queries, responses)
        order = scores.argsort(dim=1, descending=True, stable=True).tolist()
        places = [
            [place for place in ranked if place < len(items)][: self.keep]
            for ranked, items in zip(order, responses.items, strict=True)
        ]
        return kept(replace(responses, scores=scores.to(responses.scores.device)), places)

    def _scores(self, queries: Queries, responses: Responses) -> Tensor:
        import torch

        from reml.devices.evaluating import evaluating

        distinct = {item.row: item for items in responses.items for item in items}
        rows = np.array(sorted(distinct), dtype=np.int64)
        mask = responses.mask.cpu().numpy()
        positions = np.where(mask, np.searchsorted(rows, responses.rows), -1)
        module = self.scorer.module
        with torch.no_grad(), evaluating(module) if module is not None else contextlib.nullcontext():
            return self.scorer.score(queries, [distinct[row] for row in rows.tolist()], positions).float()
