"""The random states of Python, NumPy, torch and its CUDA devices: seeded, taken, and put back together."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

RandomState = dict[str, Any]


def seed_random(seed: int) -> None:
    """Seed Python, NumPy and torch on all devices."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - libraries draw from the global state
    torch.manual_seed(seed)


def random_state() -> RandomState:
    """Give the random states of Python, NumPy, torch and its CUDA devices as numbers and tensors."""
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    return {
        "python": random.getstate(),
        "numpy": (name, torch.from_numpy(np.asarray(keys).astype(np.int64)), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def restore_random_state(state: RandomState) -> None:
    """Put back what `random_state` gave."""
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    np.random.set_state((name, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(state["torch"])
    devices: list[Tensor] = state["cuda"]
    if devices:
        torch.cuda.set_rng_state_all(devices)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Let what is drawn afterwards not depend on what is done here: making an encoder seeds, and draws weights."""
    state = random_state()
    try:
        yield
    finally:
        restore_random_state(state)
