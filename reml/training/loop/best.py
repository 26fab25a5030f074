"""Keeping the weights that answer the dev sets best, and stopping when they get no better."""

from __future__ import annotations

import math
from pathlib import Path

from pytorch_lightning import Callback, Trainer

from reml.training.loop.module import PredictorTraining
from reml.training.scale.sharding import save_trained


class KeepBest(Callback):
    """Writes the weights whenever the dev score rises; stops after `patience` looks without gain.

    best_step, best_score: when and what the highest score was; 0 and -inf before the first look.
    """

    def __init__(self, training: PredictorTraining, path: Path, patience: int | None) -> None:
        self.best_step, self.best_score = 0, -math.inf
        self._training, self._path, self._patience = training, path, patience
        self._without_gain = 0

    def state_dict(self) -> dict[str, float]:
        """Give what a resumed run must know."""
        return {"step": self.best_step, "score": self.best_score, "without_gain": self._without_gain}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """Take up the best score so far, and how long there was no gain."""
        self.best_step, self.best_score = int(state_dict["step"]), state_dict["score"]
        self._without_gain = int(state_dict["without_gain"])

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
        else:
            self._without_gain += 1
        if self._patience is not None and self._without_gain >= self._patience:
            trainer.should_stop = True
