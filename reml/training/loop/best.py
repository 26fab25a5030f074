"""Keeping the weights that answer the dev sets best, and stopping when they get no better."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from pytorch_lightning import Callback, Trainer

from reml.files.atomic import file_digest
from reml.training.loop.module import PredictorTraining
from reml.training.scale.sharding import save_trained

_LOG = logging.getLogger(__name__)


class KeepBest(Callback):
    """Writes the weights whenever the dev score rises; stops after `patience` looks without gain.

    best_step, best_score: when and what the highest score was; 0 and -inf before the first look.
    """

    def __init__(self, training: PredictorTraining, path: Path, patience: int | None) -> None:
        self.best_step, self.best_score = 0, -math.inf
        self._training, self._path, self._patience = training, path, patience
        self._without_gain, self._digest = 0, ""

    def state_dict(self) -> dict[str, Any]:
        """Give what a resumed run must know."""
        known = {"step": self.best_step, "score": self.best_score, "without_gain": self._without_gain}
        return {**known, "digest": self._digest}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take up the best score so far, and how long there was no gain.

        Where the weights kept are not those of that score, a killed run found better ones later, which come again; or
        they are damaged. So the best of what follows is kept.
        """
        self.best_step, self.best_score = int(state_dict["step"]), state_dict["score"]
        self._without_gain, self._digest = int(state_dict["without_gain"]), state_dict.get("digest", "")
        if self._digest and not self._is_kept():
            _LOG.warning(
                "%s does not hold the weights of step %d, the best until now: the best of what follows is kept.",
                *(self._path, self.best_step),
            )
            self.best_score = -math.inf

    def _is_kept(self) -> bool:
        return self._path.is_file() and file_digest(self._path) == self._digest

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Ask for a last look at the end of the run, which Lightning takes only at whole intervals."""
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True

    def on_validation_end(self, trainer: Trainer, *_: object) -> None:
        """Compare the new score with the best one."""
        if self._training.dev_score > self.best_score:
            self.best_step, self.best_score = trainer.global_step, self._training.dev_score
            self._without_gain = 0
            save_trained(self._training.regime, self._path)
            self._digest = file_digest(self._path) if trainer.is_global_zero else ""
        else:
            self._without_gain += 1
        if self._patience is not None and self._without_gain >= self._patience:
            trainer.should_stop = True
