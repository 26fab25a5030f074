from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch

from reml.devices.random_state import random_state, restore_random_state, seed_random, undisturbed
from reml.training.loop.checkpoint import SafeCheckpoints


def draw() -> list[float]:
    """Take numbers of every kind; NumPy and Python keep half a pair of normal numbers in their states."""
    return [
        random.random(),
        random.gauss(0, 1),
        float(np.random.rand()),  # noqa: NPY002
        float(np.random.randn()),  # noqa: NPY002
        float(torch.rand(())),
        float(torch.randn(())),
    ]


@pytest.mark.parametrize("before", [0, 1])
def test_random_numbers_go_on_where_they_were_also_through_a_file(tmp_path: Path, before: int) -> None:
    seed_random(5)
    for _ in range(before):
        draw()
    SafeCheckpoints().save_checkpoint({"random": random_state()}, tmp_path / "state")
    expected = [draw() for _ in range(3)]
    seed_random(6)
    assert [draw() for _ in range(3)] != expected
    restore_random_state(SafeCheckpoints().load_checkpoint(tmp_path / "state")["random"])
    assert [draw() for _ in range(3)] == expected


def test_a_seed_is_for_all_sources() -> None:
    seed_random(1)
    first = draw()
    seed_random(1)
    assert draw() == first
    seed_random(2)
    assert all(one != other for one, other in zip(draw(), first, strict=True))


def test_what_draws_in_between_leaves_no_trace() -> None:
    seed_random(4)
    expected = draw()
    seed_random(4)
    with undisturbed():
        seed_random(9)
        draw()
    assert draw() == expected
