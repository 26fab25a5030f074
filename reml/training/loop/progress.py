"""How far training is and how well it goes, shown as all work is (`reml.devices.progress`)."""

from __future__ import annotations

from pytorch_lightning import Callback, Trainer

from reml.devices.progress import begin, end
from reml.devices.work import Work
from reml.training.loop.best import KeepBest
from reml.training.loop.module import PredictorTraining


class ProgressLine(Callback):
    """Shows steps, loss and dev score, in place of Lightning's own bar."""

    def __init__(self, training: PredictorTraining, best: KeepBest) -> None:
        self._training, self._best = training, best
        self._work = Work("train", unit="steps")

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        """Begin where a resumed run left it."""
        self._work.total, self._work.done = int(trainer.max_steps), trainer.global_step
        begin(self._work)

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Count the steps done."""
        self._work.done, self._work.note = trainer.global_step, self._described()

    def on_validation_end(self, *_: object) -> None:
        """Show the new dev score."""
        self._work.note = self._described()

    def on_train_end(self, *_: object) -> None:
        """End, so that what is said next stands alone."""
        end(self._work)

    def on_exception(self, *_: object) -> None:
        """End, so that the error stands alone."""
        end(self._work)

    def _described(self) -> str:
        loss, dev, best = f"loss {self._training.loss:.3g}", self._training.dev_score, self._best
        if not best.best_step:
            return loss
        highest = f" (best {best.best_score:.3f})" if best.best_score != dev else ""
        return f"{loss}, dev {dev:.3f}{highest}, {self._training.judged_by}"
