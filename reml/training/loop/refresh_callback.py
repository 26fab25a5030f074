"""Refreshing the index of live examples while training goes on, and telling how old what is searched is."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import final

import numpy as np
from pytorch_lightning import Callback, LightningModule, Trainer
from torch import Tensor, nn

from reml.contract.predictors import Batch
from reml.contract.retrieved import Hits
from reml.contract.retrievers import TrainableEncoder
from reml.contract.vectors import Int64Array
from reml.devices.random_state import undisturbed
from reml.training.loop.resume import newest_state, saved_step
from reml.training.refresh.index_versions import IndexVersions
from reml.training.refresh.policies import Change, RefreshDiedError, RefreshedIndex, Refresher, Run

AGE, AGE_RETRIEVED, OVERLAP, DIED = "index/age", "index/age_retrieved", "index/overlap", "index/died"


@final
class RefreshIndex(Callback):
    """Refreshes after a step what is due, before the next batch is retrieved.

    folder: of the versions of the index. states: of the training states. epoch: its length in steps. Logged for each
    step: the mean age, in steps, of all vectors when its items were retrieved (`index/age`), and of theirs
    (`index/age_retrieved`); at each refresh, the share of the items of the newest batch that are retrieved before and
    after it (`index/overlap`); and 1 where a refresh died (`index/died`).
    """

    def __init__(self, refreshed: RefreshedIndex, folder: Path, *, states: Path, epoch: Fraction) -> None:
        self._refreshed, self._states = refreshed, states
        self._live = refreshed.retrieval.live
        self._run = Run(self._live, IndexVersions(folder, refreshed.rebuild), epoch)
        self._counted: Mapping[str, Tensor] | None = None
        self._refresher: Refresher | None = None
        self._retrieved: list[Int64Array] = []

    def state_dict(self) -> dict[str, Tensor]:
        """Give how often items were retrieved."""
        return self._live.state_dict()

    def load_state_dict(self, state_dict: dict[str, Tensor]) -> None:
        """Keep it until the index is as it was."""
        self._counted = state_dict

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take up the index where the run stands; `ValueError` if its encoder is not the one that is trained."""
        _check_learns(self._live.encoder, pl_module)
        with undisturbed():
            self._run.versions.restore(self._live, trainer.global_step)
            self._refresher = self._refreshed.refresh.begin(self._run)
        if self._counted is not None:
            self._live.load_state_dict(self._counted)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,  # noqa: ARG002
        outputs: object,  # noqa: ARG002
        batch: Batch,
        batch_idx: int,
    ) -> None:
        """Log ages, and refresh what is due."""
        self._live.count(batch.read.rows)
        self._retrieved.append(batch.read.rows)
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        before = trainer.global_step - 1  # the steps that the encoder had learnt when it retrieved
        rows, self._retrieved = np.concatenate([rows.ravel() for rows in self._retrieved]), []
        _log(trainer, {AGE: self._live.age(before), AGE_RETRIEVED: self._live.age_of(rows, before)})
        if trainer.global_step < trainer.max_steps:
            with undisturbed():
                self._refresh(trainer, batch)

    def on_train_end(self, *_: object) -> None:
        """Leave nothing running, and no index open whose files are to be removed."""
        self._end()

    def on_exception(self, *_: object) -> None:
        """End a refresh that is under way, and close the index, as at the end of training."""
        self._end()

    def _refresh(self, trainer: Trainer, batch: Batch) -> None:
        assert self._refresher is not None  # noqa: S101 - training has started
        try:
            change = self._refresher.after(trainer.global_step)
        except RefreshDiedError as error:
            logging.getLogger(__name__).warning("step %d: %s", trainer.global_step, error)
            _log(trainer, {DIED: 1.0})
            return
        if change is not None:
            _log(trainer, {OVERLAP: self._moved(change, batch)})
            state = newest_state(self._states)
            self._run.versions.forget(saved_step(state) if state is not None else 0)

    def _moved(self, change: Change, batch: Batch) -> float:
        """Make a change; give the overlap of what is retrieved before and after it."""
        before = self._refreshed.retrieval(batch.examples)
        change()
        return overlap(before, self._refreshed.retrieval(batch.examples))

    def _end(self) -> None:
        if self._refresher is not None:
            self._refresher.end()
        self._live.reset()


def overlap(before: Hits, after: Hits) -> float:
    """Give the share of the items before that are among those after, for the same queries; 1 if there are none."""
    shared = (before.rows[:, :, None] == after.rows[:, None, :]).any(axis=2) & before.mask  # [B, K, K] -> [B, K]
    return float(shared.sum() / before.mask.sum()) if before.mask.any() else 1.0


def _check_learns(encoder: TrainableEncoder, trained: nn.Module) -> None:
    if encoder.module not in set(trained.modules()):
        raise ValueError(
            "the index that is searched while training has another encoder than the one being trained: give "
            "`LiveIndex` a retriever with the encoder that learns."
        )


def _log(trainer: Trainer, metrics: dict[str, float]) -> None:
    for logger in trainer.loggers:
        logger.log_metrics(metrics, trainer.global_step)
