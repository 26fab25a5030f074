from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from reml.files.atomic import CorruptError, StaleError
from reml.files.weights import load_weights, save_weights


class Tied(nn.Module):
    def __init__(self, width: int = 3) -> None:
        super().__init__()
        self.embedding = nn.Embedding(5, width)
        self.output = nn.Linear(width, 5, bias=False)
        self.output.weight = self.embedding.weight


def test_tied_weights_come_back_tied(tmp_path: Path) -> None:
    first, second = Tied(), Tied()
    save_weights(first, tmp_path / "model.safetensors")
    load_weights(second, tmp_path / "model.safetensors")
    assert torch.equal(second.output.weight, first.embedding.weight)
    assert second.output.weight is second.embedding.weight


def test_weights_of_another_model_or_none_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    with pytest.raises(CorruptError, match=r"model\.safetensors"):
        load_weights(Tied(), path)
    save_weights(Tied(), path)
    with pytest.raises(StaleError, match="weights of another model"):
        load_weights(Tied(width=4), path)
    with pytest.raises(StaleError, match="weights of another model"):
        load_weights(nn.Linear(2, 2), path)
