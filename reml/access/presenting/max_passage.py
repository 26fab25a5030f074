"""The best passage of a page stands for the page, by its own score (MaxP), or by what all its passages score.

Dai and Callan, "Deeper Text Understanding for IR with Contextual Neural Language Modeling", SIGIR 2019,
https://arxiv.org/abs/1905.09217: the score of a document is that of its best passage (MaxP), or the sum over its
passages (SumP). A `temperature` stands between these: t log sum exp(score / t), by which several good passages count
for more than one, whatever the sign of scores is.

Reached: benchmarks/configs/cascade_minikilt.yaml. Published: Robust04 nDCG@20 0.469 MaxP, 0.467 SumP (BERT, titles).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from reml.access.presenting.processors import keep
from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Weight
from reml.contract.retrieved import Queries, Responses

if TYPE_CHECKING:
    from torch import Tensor


@checked()
@dataclass(frozen=True)
class MaxPassage:
    """Keeps the item of largest score of each page, and orders pages by their scores; ties keep their places.

    temperature: t of a page's score t log sum exp(score of its items / t), in the unit of scores; 0 is the score of the
    best item alone. An item without a page is a page by itself. Scores keep their gradient.
    """

    temperature: Weight = 0.0

    def __call__(self, queries: Queries, responses: Responses) -> Responses:  # noqa: ARG002
        """Drop every item of a page that has a better one, and give the others best page first."""
        own = responses.scores.detach().cpu().tolist()
        pages = [[item.page_id or item.row for item in items] for items in responses.items]
        if self.temperature:
            responses = replace(responses, scores=_pooled(responses, pages, self.temperature))
        whole = responses.scores.detach().cpu().tolist()
        return keep(responses, [_best(*of) for of in zip(pages, own, whole, strict=True)])


def _best(pages: Sequence[str | int], own: Sequence[float], whole: Sequence[float]) -> list[int]:
    """Give the place of the best item of each page, best page first."""
    first: dict[str | int, int] = {}
    for place in sorted(range(len(pages)), key=lambda place: -own[place]):
        first.setdefault(pages[place], place)
    return sorted(first.values(), key=lambda place: (-whole[place], -own[place], place))


def _pooled(responses: Responses, pages: Sequence[Sequence[str | int]], temperature: float) -> Tensor:
    """Give each item the score of its page, [Q, K]."""
    import torch

    numbers = np.full(responses.rows.shape, -1, dtype=np.int64)
    for row, held in zip(numbers, pages, strict=True):
        row[: len(held)] = [held.index(page) for page in held]
    scores, page = responses.scores, torch.from_numpy(numbers).to(responses.scores.device)
    same = (page[:, :, None] == page[:, None, :]) & (page >= 0)[:, None, :]  # [Q, K, K]
    spread = (scores[:, None, :] / temperature).masked_fill(~same, -torch.inf)
    spread = spread.masked_fill((page < 0)[:, :, None], 0.0)  # of -inf alone the gradient is no number
    return torch.where(page >= 0, temperature * spread.logsumexp(dim=2), scores)
