"""In-batch negatives: for each example the items that the other examples of its batch retrieved.

Karpukhin et al., "Dense Passage Retrieval for Open-Domain Question Answering", EMNLP 2020, section 3.2,
https://arxiv.org/abs/2004.04906.
"""

from __future__ import annotations

import numpy as np
import torch

from reml.contract.examples import Item
from reml.contract.retrieved import Responses
from reml.contract.vectors import Int64Array
from reml.devices.ranks import all_gather


def others(responses: Responses) -> Responses:
    """Give each example the distinct items of the others that it does not have, by row; scores are 0.

    The others are those of the whole batch, on whatever device. What is masked is nobody's.
    """
    items = batch_items(responses)
    shown = np.where(responses.mask.cpu().numpy(), responses.rows, -1)
    chosen = [sorted(items.keys() - set(own)) for own in shown.tolist()]
    rows = _padded(chosen)
    mask = torch.from_numpy(rows >= 0).to(responses.mask.device)
    given = tuple(tuple(items[row] for row in wanted) for wanted in chosen)
    return Responses(given, rows, responses.scores.new_zeros(rows.shape).masked_fill(~mask, -torch.inf), mask)


def batch_items(responses: Responses) -> dict[int, Item]:
    """Give the distinct items of the whole batch by row, on every device the same."""
    return {row: item for held in all_gather(_by_row(responses)) for row, item in held.items()}


def _by_row(responses: Responses) -> dict[int, Item]:
    mask = responses.mask.tolist()
    return {
        item.row: item
        for owner, items in enumerate(responses.items)
        for place, item in enumerate(items)
        if mask[owner][place]
    }


def _padded(chosen: list[list[int]]) -> Int64Array:
    rows = np.full((len(chosen), max((len(wanted) for wanted in chosen), default=0)), -1, dtype=np.int64)
    for row, wanted in zip(rows, chosen, strict=True):
        row[: len(wanted)] = wanted
    return rows
