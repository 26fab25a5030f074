"""Training on several devices: a process each, the first one started by the user, the others by Lightning for one run.

Lightning starts the others as copies of the command that the first one runs. They find what was made before the run,
join it and end with it; all that stands on disk is written by the first.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, distributed
from torch.autograd.function import FunctionCtx

from reml.devices.rank_zero import TRAINS_IN, is_rank_zero

Value = TypeVar("Value")
# What is set when processes are started; left there, the next training would take them for started already.
LAUNCH = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE", TRAINS_IN)


def world_size() -> int:
    """Count the processes that train together now."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Give the number of this process among them, from 0."""
    return distributed.get_rank() if world_size() > 1 else 0


def all_gather(value: Value) -> list[Value]:
    """Give what every process has, in the order of their numbers. All must ask."""
    if world_size() == 1:
        return [value]
    values: list[Value | None] = [None] * world_size()
    distributed.all_gather_object(values, value)
    return [one for one in values if one is not None]


def all_gather_rows(rows: Tensor) -> Tensor:
    """Give the rows [n, D] of every process as [n, processes, D], with gradient to all of them; n must be the same.

    A gradient is summed over the processes, and averaged over them by DDP: that of the mean of their losses.
    """
    if world_size() == 1:
        return rows[:, None]
    joined: Tensor = _JoinedRows.apply(rows)  # type: ignore[no-untyped-call]
    return joined


class _JoinedRows(torch.autograd.Function):
    """PyTorch's own gather with gradient is deprecated in favour of one that is private."""

    @staticmethod
    def forward(context: FunctionCtx, rows: Tensor) -> Tensor:  # noqa: ARG004
        parts = [torch.empty_like(rows, memory_format=torch.contiguous_format) for _ in range(world_size())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.stack(parts, dim=1)

    @staticmethod
    def backward(context: FunctionCtx, *gradients: Tensor) -> Tensor:  # noqa: ARG004
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        distributed.all_reduce(total)
        return total[:, rank()]


@contextlib.contextmanager
def together(folder: Path) -> Iterator[None]:
    """Run a training in `folder` with other processes; afterwards the next one can be, and all but the first end."""
    before = {name: os.environ.get(name) for name in LAUNCH}
    if is_rank_zero():
        os.environ[TRAINS_IN] = str(folder.resolve())
    try:
        yield
    finally:
        if distributed.is_available() and distributed.is_initialized():
            distributed.destroy_process_group()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
    if not is_rank_zero():
        raise SystemExit(0)
