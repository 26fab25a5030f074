"""Time and memory of three ways to attend, each at each length in a process of its own, and lines through them.

    OMP_NUM_THREADS=1 python -m reml.benchmarks.speed.attention.lengths

separable  softmax over D (Q) . (softmax over L (K^T) . V)      `reml.retrievers.rankers.conformer_kernel.conformer`
plain      softmax over L (Q K^T) . V, with its matrix of L x L
fused      the same by torch's scaled_dot_product_attention, which makes no such matrix where it has a kernel for that

Attention forth and back, as in training, of one text with keys that are the queries, as the paper has them. Mitra et
al., 2020, https://arxiv.org/abs/2007.10434, section 3.1: memory in a line with L, measured there on GPUs.

Here, on a machine that others used too (one thread, 4 heads of 64, torch 2.13, CPU ms and MB from 512 to 8,192 words):
separable 5 to 129 ms (R^2 of a line .988) and 10 to 191 MB (.997); plain 21 to 7,169 ms, growing as L^2.1, and 39 to
3,368 MB; fused 17 to 3,376 ms, as L^1.9, and 7 to 111 MB. At 8,192 words separable takes 1/55 of plain's time and 1/26
of fused's. Against fused it saves time, not memory.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from torch import Tensor
from torch.nn import functional

from reml.benchmarks.speed.costs import Meter, timed
from reml.benchmarks.speed.growth import fit
from reml.benchmarks.speed.isolation import run_isolated
from reml.reporting.table import Table
from reml.reporting.terminal import print_table
from reml.retrievers.rankers.conformer_kernel.conformer import separable_attention

LENGTHS = (512, 1024, 2048, 4096, 8192)
HEADS, WIDTH, ROUNDS, PATIENCE = 4, 64, 5, 900.0
Way = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, slots=True)
class Measured:
    """One way at one length: CPU seconds, the median of some rounds, and bytes above those of the process before."""

    way: str
    length: int
    seconds: float
    memory: int


def separable(keys: Tensor, values: Tensor) -> Tensor:
    """Attend by separable attention; no word is masked."""
    return separable_attention(keys, values, torch.ones(len(keys), keys.shape[2], dtype=torch.bool))


def plain(keys: Tensor, values: Tensor) -> Tensor:
    """Attend by the formula."""
    among: Tensor = keys @ keys.mT * keys.shape[-1] ** -0.5  # [B, heads, L, L]
    return among.softmax(dim=-1) @ values


def fused(keys: Tensor, values: Tensor) -> Tensor:
    """Attend by torch's own."""
    return functional.scaled_dot_product_attention(keys, keys, values)


WAYS: Mapping[str, Way] = {"separable": separable, "plain": plain, "fused": fused}


def both_ways(way: Way, length: int) -> None:
    """Attend forth and back over a random text."""
    drawn = torch.randn(2, 1, HEADS, length, WIDTH, generator=torch.Generator().manual_seed(0)).requires_grad_()
    way(drawn[0], drawn[1]).sum().backward()  # type: ignore[no-untyped-call]


def measure(name: str, length: int, rounds: int = ROUNDS) -> Measured:
    """Measure one way at one length in this process, on one thread; what libraries need is there before."""
    torch.set_num_threads(1)
    work = partial(both_ways, WAYS[name], length)
    both_ways(WAYS[name], 16)
    meter = Meter()
    times = [timed(work)[1] for _ in range(rounds)]
    cost = meter.read()
    return Measured(name, length, statistics.median(times), cost.peak - cost.base)


def measure_all(lengths: Sequence[int] = LENGTHS, rounds: int = ROUNDS) -> list[Measured]:
    """Measure all ways at all lengths, one after the other."""
    with tempfile.TemporaryDirectory(prefix="reml-attention-") as folder:
        return [
            run_isolated(partial(measure, name, length, rounds), seconds=PATIENCE, log=Path(folder) / "log")
            for length in lengths
            for name in WAYS
        ]


def line_misfit(lengths: Sequence[float], values: Sequence[float]) -> float:
    """Give R^2 of the straight line of least squares: 1 where values lie on it, 0 where a mean tells as much."""
    given = np.asarray(values)
    slope, constant = np.polyfit(lengths, given, 1)
    left = given - (slope * np.asarray(lengths) + constant)
    return float(1 - left @ left / np.square(given - given.mean()).sum())


def measured_table(every: Sequence[Measured]) -> Table:
    """Show all figures."""
    rows = [(one.way, f"{one.length:,}", f"{one.seconds * 1e3:,.1f}", f"{one.memory / 1e6:,.1f}") for one in every]
    return Table(("attention", "words", "CPU ms", "MB"), frozenset({"attention"}), rows)


def fitted_table(every: Sequence[Measured]) -> Table:
    """Show, for each way, R^2 of a straight line and the exponent of a power law, of time and of memory."""
    rows = []
    for name in dict.fromkeys(one.way for one in every):
        own = [one for one in every if one.way == name]
        lengths = [one.length for one in own]
        costs = {"CPU s": [one.seconds for one in own], "bytes": [float(one.memory) for one in own]}
        for quantity, values in costs.items():
            law = f"{fit(lengths, values).exponent:.2f}"
            rows.append((name, quantity, f"{line_misfit(lengths, values):.4f}", law))
    return Table(("attention", "quantity", "R^2 of a line", "words ^"), frozenset({"attention", "quantity"}), rows)


if __name__ == "__main__":
    figures = measure_all()
    print_table(Console(), measured_table(figures))
    print_table(Console(), fitted_table(figures))
