from __future__ import annotations

import torch
from torch import nn

from reml.devices.evaluating import evaluating
from reml.retrievers.encoders.token_batches import longest_first, token_batches


def test_batches_are_padded_where_their_own_longest_text_is_longer() -> None:
    ids = [[1, 2, 3], [4, 5], [6], []]
    assert longest_first([ids[2], ids[0], ids[3], ids[1]]) == [1, 3, 0, 2]
    first, second = token_batches(ids, 2, padding=9, device=torch.device("cpu"))
    assert first.ids.tolist() == [[1, 2, 3], [4, 5, 9]]
    assert first.mask.tolist() == [[True, True, True], [True, True, False]]
    assert second.ids.tolist() == [[6], [9]]
    assert second.mask.tolist() == [[True], [False]]


def test_a_batch_of_empty_texts_is_one_column_of_padding() -> None:
    (batch,) = token_batches([[], []], 5, padding=7, device=torch.device("cpu"))
    assert batch.ids.tolist() == [[7], [7]]
    assert not batch.mask.any()


def test_each_part_gets_its_own_mode_back() -> None:
    module = nn.Sequential(nn.Dropout(), nn.Linear(2, 2))
    module[1].eval()
    with evaluating(module):
        assert not module[0].training
        assert not torch.is_grad_enabled()
    assert module.training
    assert module[0].training
    assert not module[1].training
    assert torch.is_grad_enabled()
