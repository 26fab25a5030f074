"""Going on after a kill as if nothing had happened: states saved every few steps and everything random put back.

A state is taken at the start of a step, when all of the step before is done (update, schedule, dev scores, metrics),
and holds the random states of that instant. So the steps after a resume are the very steps of an undisturbed run.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, LightningModule, Trainer

from reml.contract.predictors import Batch
from reml.devices.random_state import RandomState, random_state, restore_random_state
from reml.devices.ranks import all_gather, rank
from reml.files.atomic import CorruptError
from reml.files.legs import note_cost
from reml.training.loop.checkpoint import METRICS, check_state
from reml.training.loop.metrics import MetricsCsv

EACH = "each"
_LOG = logging.getLogger(__name__)


class SaveState(Callback):
    """Saves the newest state every `every` steps into `folder`, and puts random states back after a resume."""

    def __init__(self, folder: Path, every: int) -> None:
        self._folder, self._every = folder, every
        self._to_restore: RandomState | None = None

    def state_dict(self) -> RandomState:
        """Give the random states of this instant; on several devices those of each."""
        states = all_gather(random_state())
        return states[0] if len(states) == 1 else {EACH: states}

    def load_state_dict(self, state_dict: RandomState) -> None:
        """Keep them until the first step starts: Lightning draws random numbers before it does."""
        self._to_restore = state_dict[EACH][rank()] if EACH in state_dict else state_dict

    def on_save_checkpoint(self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002
        """Keep what was logged until now, so that the log that goes on is known to be that."""
        logs = (logger.written() for logger in trainer.loggers if isinstance(logger, MetricsCsv))
        checkpoint[METRICS] = next(logs, None)

    def on_train_batch_start(self, trainer: Trainer, pl_module: LightningModule, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002
        """Restore or save, whichever is due."""
        if self._to_restore is not None:
            restore_random_state(self._to_restore)
            self._to_restore = None
        elif _due(trainer.global_step, self._every) and batch_idx % trainer.accumulate_grad_batches == 0:
            self._save(trainer)

    def _save(self, trainer: Trainer) -> None:
        for logger in trainer.loggers:
            logger.save()
        name = f"step-{trainer.global_step:08d}"
        trainer.save_checkpoint(self._folder / name, weights_only=False)
        if trainer.is_global_zero:
            for state in self._folder.glob("step-*"):
                if state.name < name:
                    shutil.rmtree(state, ignore_errors=True)
            note_cost()


def newest_state(folder: Path) -> Path | None:
    """Give the newest whole state in `folder`, or nothing where there is none at all.

    One that is damaged is said and passed over; `CorruptError` where all are.
    """
    damage: CorruptError | None = None
    for state in sorted(folder.glob("step-*"), key=saved_step, reverse=True):
        try:
            check_state(state)
        except CorruptError as error:
            damage = error
            continue
        if damage is not None:
            _LOG.warning("%s The training goes on from step %d.", str(damage), saved_step(state))
        return state
    if damage is not None:
        raise damage
    return None


def saved_step(state: Path) -> int:
    """Give the number of steps done in a state."""
    return int(state.name.removeprefix("step-"))


def _due(step: int, every: int) -> bool:
    return step > 0 and step % every == 0
