"""What a predictor that stays as it is says of fixed lists: asked once, kept, and given in its place from then on.

Under conditional training on lists that do not change, a frozen predictor says the same of an example each time. So
objectives, seeds and controls share one pass of the predictor, and a step costs no more than the retriever's part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from reml.contract.arguments.paths import takes_paths
from reml.contract.collections import Collection
from reml.contract.examples import Answer, Example
from reml.contract.predictors import Batch, Judge, Predictor
from reml.contract.signals import Credit, Prediction, Signal
from reml.contract.vectors import Int64Array
from reml.devices.device import default_device
from reml.devices.precision import autocast
from reml.files.atomic import atomic_file, repair_of
from reml.files.integrity.checked import reading
from reml.training.regimes.signals import collect

FIELDS: Mapping[Signal, tuple[str, ...]] = {
    Signal.ITEM_LIKELIHOOD: ("item_log_likelihood",),
    Signal.TOKEN_LIKELIHOOD: ("token_log_likelihood", "target_mask"),
    Signal.ATTENTION: ("attention",),
    Signal.LEAVE_ONE_OUT: ("leave_one_out",),
    Signal.ITEM_UTILITY: ("item_utility",),
    Signal.NULL_LIKELIHOOD: ("null_log_likelihood",),
}
ROWS = "rows"


def kept(signals: Signal) -> Signal:
    """Give those signals that are the same each time they are asked for: all but what is drawn or is of the batch."""
    return signals & ~(Signal.SAMPLES | Signal.IN_BATCH)


@takes_paths
def cache_signals(predictor: Predictor, batches: Iterable[Batch], signals: Signal, path: Path) -> None:
    """Ask a predictor for signals of all batches, each with the same number of places K, and write what it says."""
    names = [name for signal in signals for name in FIELDS[signal]]
    values: dict[str, list[Tensor]] = {name: [] for name in names}
    rows = []
    for batch in batches:
        with torch.no_grad(), autocast(default_device()):
            credit = collect(predictor, batch, signals).read_credit
        for name in names:
            value = getattr(credit, name)
            assert value is not None, name  # noqa: S101 - a predictor gives the signals that it says it gives
            values[name].append(value.cpu())
        rows.append(batch.read.rows)
    _save(path, rows, {name: _joined(parts) for name, parts in values.items()})


@takes_paths
def cache_utility(judge: Judge, batches: Iterable[Batch], path: Path) -> None:
    """Ask a judge for the utility of all items, and write what it says."""
    utilities, rows = [], []
    for batch in batches:
        with torch.no_grad(), autocast(default_device()):
            utilities.append(judge(batch.examples, batch.read).float().cpu())
        rows.append(batch.read.rows)
    _save(path, rows, {"item_utility": torch.cat(utilities)})


class CachedPredictor(nn.Module):
    """A `Predictor` without parameters that repeats the signals that were cached for the examples.

    tasks: for each, the examples in the order of the cache, and the files of their signals, one or several.
    """

    def __init__(self, tasks: Sequence[tuple[Sequence[Example], Sequence[Path]]]) -> None:
        super().__init__()
        cached = [_read(paths) for _, paths in tasks]
        examples = [example for part, _ in tasks for example in part]
        self._places = {(example.id, example.input): place for place, example in enumerate(examples)}
        self._values = {name: _joined([part[name] for part in cached]) for name in cached[0]}

    @property
    def signals(self) -> Signal:
        """The signals that are cached."""
        there = [signal for signal, names in FIELDS.items() if set(names) <= set(self._values)]
        return Signal(sum(signal.value for signal in there))

    @takes_paths
    def prepare(self, collections: Mapping[str, Collection], folder: Path) -> None:
        """Nothing is computed of items."""

    def loss(self, batch: Batch, signals: Signal = Signal.NONE) -> Prediction:
        """Repeat the signals, with a loss of 0; `ValueError` for an example or a list without them."""
        places = self._found(batch.examples, batch.read.rows)
        device = batch.read.mask.device
        names = [name for signal in signals for name in FIELDS[signal]]
        given = {name: self._values[name][places].to(device) for name in names}
        credit = Credit(
            item_log_likelihood=given.get("item_log_likelihood"),
            token_log_likelihood=given.get("token_log_likelihood"),
            target_mask=given.get("target_mask"),
            attention=given.get("attention"),
            leave_one_out=given.get("leave_one_out"),
            item_utility=given.get("item_utility"),
            null_log_likelihood=given.get("null_log_likelihood"),
        )
        return Prediction(torch.zeros(len(batch.examples), device=device), (credit,))

    def generate(self, batch: Batch) -> list[Answer]:  # noqa: ARG002
        """Refuse: cached signals hold no answers."""
        raise ValueError("the cached signals of a predictor answer no questions: ask the predictor itself.")

    def _found(self, examples: Sequence[Example], rows: Int64Array) -> Tensor:
        missing = [example.id for example in examples if (example.id, example.input) not in self._places]
        if missing:
            raise ValueError(f"no signals are cached for the examples {missing[:5]}: cache them first.")
        places = torch.tensor([self._places[example.id, example.input] for example in examples])
        if not np.array_equal(self._values[ROWS][places].numpy(), rows):
            raise ValueError("the lists are not those of the cached signals: cache the signals for these lists first.")
        return places


def _save(path: Path, rows: Sequence[Int64Array], values: Mapping[str, Tensor]) -> None:
    with atomic_file(path) as draft:
        save_file({ROWS: torch.from_numpy(np.concatenate(rows)), **values}, draft)


def _read(paths: Sequence[Path]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for path in paths:
        with reading(path, repair_of(path.parent)):
            found |= load_file(path)
    return found


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """Put values of examples together; those of target tokens, the last dimension of masks and of [B, K, T], padded."""
    length = max(part.shape[-1] for part in parts)
    return torch.cat([functional.pad(part, (0, length - part.shape[-1])) for part in parts]).contiguous()
