"""The lists of several access models as one list an example, and back: what is joined can be told apart by origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from reml.contract.examples import Item
from reml.contract.retrieved import LazyItems, Responses
from reml.contract.vectors import Int64Array


def joined(found: Mapping[str, Responses], count: int) -> Responses:
    """Lay the lists of access models side by side for each of `count` examples, in their order, padding at the end.

    Scores of different models do not compare, so that nothing is sorted. Where there are several, the scores are those
    divided by the temperature of their model.
    """
    import torch

    parts = list(found.values())
    if len(parts) == 1:
        return replace(parts[0], names=tuple(found))
    if not parts:
        return Responses(
            ((),) * count, np.empty((count, 0), np.int64), torch.empty(count, 0), torch.empty(count, 0).bool()
        )
    origins = [np.full(part.rows.shape, number, dtype=np.int8) for number, part in enumerate(parts)]
    device = parts[0].scores.device
    laid = Responses(
        items=(),
        rows=np.concatenate([part.rows for part in parts], axis=1),  # [B, K_1 + ... + K_N]
        scores=torch.cat([part.scores.to(device) / part.temperature for part in parts], dim=1),
        mask=torch.cat([part.mask.to(device) for part in parts], dim=1),
        origins=np.concatenate(origins, axis=1),
        names=tuple(found),
    )
    together = laid.pick(_places(laid.rows >= 0, laid.k))
    return replace(together, items=LazyItems(count, lambda: _side_by_side([part.items for part in parts])))


def apart(responses: Responses) -> dict[str, Int64Array]:
    """Give, for each access model, the positions of its items in a joined list, [B, k], -1 where there is none."""
    there = responses.rows >= 0
    mine = {name: there & (responses.origins == number) for number, name in enumerate(responses.names)}
    return {name: _places(wanted, int(wanted.sum(axis=1).max(initial=0))) for name, wanted in mine.items()}


def _places(wanted: npt.NDArray[np.bool_], width: int) -> Int64Array:
    """Give the positions where a mask [B, K] is true, ascending, -1 behind them, [B, width]."""
    order = np.argsort(~wanted, axis=1, kind="stable")
    return np.where(np.take_along_axis(wanted, order, 1), order, -1)[:, :width].astype(np.int64)


def _side_by_side(items: Sequence[Sequence[tuple[Item, ...]]]) -> list[tuple[Item, ...]]:
    return [tuple(item for held in lists for item in held) for lists in zip(*items, strict=True)]
