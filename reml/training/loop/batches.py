"""The batches of a training run, resumable at any step."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from pytorch_lightning import LightningDataModule

from reml.contract.predictors import Batch
from reml.contract.vectors import Int64Array
from reml.devices.ranks import rank, world_size
from reml.training.data.samplers import stretch
from reml.training.data.sets import DevSet, RetrievedExamples, TrainSet
from reml.training.settings import Training


class BatchStream:
    """Exactly `count` batches of `size` examples, epoch after epoch in the order of the set; resumable.

    On several devices each has its share of a batch, `size / devices` examples. Batches run across the end of an epoch,
    so all are full. A batch counts as consumed once the next one is asked for: a state taken at the start of a step
    resumes with that step.
    """

    def __init__(self, train: TrainSet, size: int, *, count: int, seed: int) -> None:
        self.consumed = 0
        self._train, self._size, self._count = train, size, count
        self._epoch = functools.lru_cache(maxsize=2)(functools.partial(train.order.epoch, seed))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Batch]:
        while self.consumed < self._count:
            start = self.consumed * self._size
            positions = stretch(start, start + self._size, len(self._train.order), self._epoch)
            yield self._train.take(positions[rank() :: world_size()])
            self.consumed += 1

    def state_dict(self) -> dict[str, int]:
        """Give how many batches were consumed."""
        return {"consumed": self.consumed}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Skip the batches that were consumed when the state was saved."""
        self.consumed = state["consumed"]


class InOrder:
    """All examples once, in their order, in batches of at most `size`; on several devices a stretch of them on each."""

    def __init__(self, retrieved: RetrievedExamples, size: int) -> None:
        self._retrieved, self._size = retrieved, size

    def __len__(self) -> int:
        return math.ceil(len(self._share()) / self._size)

    def __iter__(self) -> Iterator[Batch]:
        positions = self._share()
        for start in range(0, len(positions), self._size):
            yield self._retrieved.take(positions[start : start + self._size])

    def _share(self) -> Int64Array:
        return np.array_split(np.arange(len(self._retrieved), dtype=np.int64), world_size())[rank()]


class TrainingData(LightningDataModule):
    """The batches of one training run, for Lightning."""

    def __init__(self, train: TrainSet, dev: Sequence[DevSet], settings: Training) -> None:
        super().__init__()
        self._train, self._dev, self._settings = train, tuple(dev), settings

    def train_dataloader(self) -> BatchStream:
        """Give all batches of the run: to Lightning they are one epoch, so that every resume is in its middle."""
        settings = self._settings
        parts = settings.total_steps(len(self._train.order)) * settings.accumulate
        return BatchStream(self._train, settings.batch_size // settings.accumulate, count=parts, seed=settings.seed)

    def val_dataloader(self) -> list[InOrder]:
        """Give the dev sets, in order."""
        size = self._settings.batch_size // (self._settings.accumulate * self._settings.devices)
        return [InOrder(dev.retrieved, size) for dev in self._dev]

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:  # noqa: ARG002
        """Move a batch; Lightning's own way does not enter frozen values."""
        return batch.to(device)
