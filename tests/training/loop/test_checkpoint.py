from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from reml.files.atomic import CorruptError
from reml.training.loop.checkpoint import SafeCheckpoints


def state() -> dict[str, object]:
    tied = torch.arange(6.0).view(2, 3)
    return {
        "global_step": 7,
        "numbers": [1, 0.1 + 0.2, True, None, "text", math.inf],
        "tuple": (0.9, (0.999, [1])),
        "state": {0: {"step": torch.tensor(3.0)}, 1: {}},
        "$odd": {"$tensor": "not one"},
        "half": torch.ones(2, dtype=torch.bfloat16),
        "bytes": torch.arange(5, dtype=torch.uint8),
        "empty": torch.empty(0, 3),
        "transposed": tied.T,
        "view": tied[0],
        "tied": tied,
        "twice": tied,
    }


def assert_same(actual: object, expected: object) -> None:
    assert type(actual) is type(expected)
    if isinstance(expected, torch.Tensor):
        assert isinstance(actual, torch.Tensor)
        assert actual.dtype == expected.dtype
        assert torch.equal(actual, expected)
    elif isinstance(expected, dict):
        assert isinstance(actual, dict)
        assert list(actual) == list(expected)
        for key, value in expected.items():
            assert_same(actual[key], value)
    elif isinstance(expected, list | tuple):
        assert isinstance(actual, list | tuple)
        assert len(actual) == len(expected)
        for one, other in zip(actual, expected, strict=True):
            assert_same(one, other)
    else:
        assert actual == expected


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "step-00000007"
    SafeCheckpoints().save_checkpoint(state(), path)
    assert_same(SafeCheckpoints().load_checkpoint(path), state())
    assert {file.name for file in path.iterdir()} == {"manifest.json", "state.json", "tensors.safetensors"}


def test_a_tied_tensor_is_written_once(tmp_path: Path) -> None:
    large = torch.zeros(100_000)
    SafeCheckpoints().save_checkpoint({"one": large, "other": large}, tmp_path / "state")
    assert (tmp_path / "state" / "tensors.safetensors").stat().st_size < 1.5 * 400_000


def test_what_needs_pickle_is_refused_and_named_with_nothing_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"checkpoint\.callbacks\.mine\.1 is a PosixPath.*without pickle"):
        SafeCheckpoints().save_checkpoint({"callbacks": {"mine": [1, Path()]}}, tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["tensors.safetensors", "state.json", "manifest.json"])
def test_a_damaged_state_is_named(tmp_path: Path, damage: str) -> None:
    SafeCheckpoints().save_checkpoint(state(), tmp_path / "state")
    (tmp_path / "state" / damage).write_bytes(b"{")
    with pytest.raises(CorruptError, match="state"):
        SafeCheckpoints().load_checkpoint(tmp_path / "state")
    (tmp_path / "state" / damage).unlink()
    with pytest.raises(CorruptError, match="state"):
        SafeCheckpoints().load_checkpoint(tmp_path / "state")


def test_a_state_can_be_removed(tmp_path: Path) -> None:
    SafeCheckpoints().save_checkpoint({"a": 1}, tmp_path / "state")
    SafeCheckpoints().remove_checkpoint(tmp_path / "state")
    assert list(tmp_path.iterdir()) == []
