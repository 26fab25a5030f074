"""What was chosen against what would have been best, example by example, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reml.contract.access import Trajectory
from reml.contract.vectors import Float64Array, Int64Array


@dataclass(frozen=True, eq=False, slots=True)
class Confusion:
    """How often each of C alternatives was chosen, by which was best.

    names: of the alternatives. counts: int64 [C, C], a row for what was chosen, a column for what was best. chosen,
    alone, best: the mean utility of what was chosen, of each alternative alone, and of the best of each example.
    """

    names: tuple[str, ...]
    counts: Int64Array
    chosen: float
    alone: Mapping[str, float]
    best: float

    def __str__(self) -> str:
        width = max(map(len, (*self.names, "chosen")))
        rows = [
            ("chosen", *self.names),
            *((name, *map(str, row)) for name, row in zip(self.names, self.counts, strict=True)),
        ]
        table = "\n".join("  ".join(f"{cell:>{width}}" for cell in row) for row in rows)
        alone = ", ".join(f"{name} {value:.3f}" for name, value in self.alone.items())
        return f"{table}\nutility: chosen {self.chosen:.3f}; {alone}; best of each {self.best:.3f}"


def confusion(chosen: Sequence[str], utility: Mapping[str, Float64Array]) -> Confusion:
    """Count choices against what was best. utility: of each alternative for each example, [N], the cheapest last.

    A choice that no other is better than counts as the best; else the last of the best does. `ValueError` for a choice
    that has no utility, or where there is not one for each example.
    """
    names = tuple(utility)
    unknown = sorted(set(chosen) - set(names))
    if unknown or any(len(values) != len(chosen) for values in utility.values()):
        lengths = ", ".join(f"{name} ({len(values)})" for name, values in utility.items())
        raise ValueError(
            f"{len(chosen)} choices, {unknown} of them unknown, and utilities of {lengths}: give one for each."
        )
    table = np.stack([np.asarray(values, dtype=np.float64) for values in utility.values()], axis=1)  # [N, C]
    rows = np.array([names.index(name) for name in chosen], dtype=np.int64)
    mine = table[np.arange(len(rows)), rows]
    last = len(names) - 1 - table[:, ::-1].argmax(axis=1)
    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (rows, np.where(mine == table.max(axis=1), rows, last)), 1)
    alone = dict(zip(names, table.mean(axis=0).tolist(), strict=True))
    return Confusion(names, counts, float(mine.mean()), alone, float(table.max(axis=1).mean()))


def chosen_of(trajectories: Sequence[Trajectory], none: str = "none") -> list[str]:
    """Give which access model each example asked, `none` where nothing; `ValueError` where it asked several."""
    asked = [sorted({one.access for one in trajectory.asks}) for trajectory in trajectories]
    for trajectory, names in zip(trajectories, asked, strict=True):
        if len(names) > 1:
            raise ValueError(
                f"example {trajectory.example!r} asked {', '.join(names)}: a choice is of one access model."
            )
    return [names[0] if names else none for names in asked]
