from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from reml.access.responses import empty, gather
from reml.contract.retrieved import Hits, Responses
from reml.testing import TEXTS, MemoryCollection
from reml.training.scale.in_batch_negatives import others


def retrieved() -> Responses:
    rows = np.array([[4, 1], [1, 0], [2, -1]], dtype=np.int64)
    return gather(MemoryCollection(TEXTS), Hits(rows, np.where(rows >= 0, 1.0, -np.inf).astype(np.float32)))


def test_each_example_is_given_what_the_others_have_and_it_has_not() -> None:
    found = others(retrieved())
    assert found.rows.tolist() == [[0, 2, -1], [2, 4, -1], [0, 1, 4]]
    assert found.mask.tolist() == [[True, True, False], [True, True, False], [True, True, True]]
    assert [[item.row for item in items] for items in found.items] == [[0, 2], [2, 4], [0, 1, 4]]
    assert torch.equal(found.scores == -torch.inf, ~found.mask)


def test_a_masked_item_is_nobodys() -> None:
    masked = replace(retrieved(), mask=torch.tensor([[False, True], [True, True], [True, False]]))
    assert [[item.row for item in items] for items in others(masked).items] == [[0, 2], [2], [0, 1]]


def test_one_example_and_examples_without_items_have_no_others() -> None:
    assert others(empty(3)).rows.shape == (3, 0)
    assert others(gather(MemoryCollection(TEXTS), Hits(np.array([[1, 2]]), np.ones((1, 2), np.float32)))).k == 0
