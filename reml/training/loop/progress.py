"""One line in the terminal that says how far training is and how well it goes."""

from __future__ import annotations

from pytorch_lightning import Callback, Trainer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn

from reml.devices.terminal import progress_bar
from reml.training.loop.best import KeepBest
from reml.training.loop.module import PredictorTraining


class ProgressLine(Callback):
    """Shows steps, loss, dev score and remaining time; on a console that is no terminal, only once at the end."""

    def __init__(self, training: PredictorTraining, best: KeepBest, console: Console) -> None:
        self._training, self._best = training, best
        columns = ("training", BarColumn(), MofNCompleteColumn(), "{task.description}", TimeRemainingColumn())
        self._progress = progress_bar(*columns, console=console, shown=True)
        self._task = self._progress.add_task("", start=False)

    def on_train_start(self, trainer: Trainer, *_: object) -> None:
        """Start the line, where a resumed run left it."""
        self._progress.update(self._task, total=trainer.max_steps, completed=trainer.global_step)
        self._progress.start_task(self._task)
        self._progress.start()

    def on_train_batch_end(self, trainer: Trainer, *_: object) -> None:
        """Show the steps done."""
        self._progress.update(self._task, completed=trainer.global_step, description=self._described())

    def on_validation_end(self, *_: object) -> None:
        """Show the new dev score."""
        self._progress.update(self._task, description=self._described())

    def on_train_end(self, *_: object) -> None:
        """End the line."""
        self._progress.stop()

    def on_exception(self, *_: object) -> None:
        """End the line, so that the error stands below it."""
        self._progress.stop()

    def _described(self) -> str:
        loss, best = f"loss {self._training.loss:.4g}", self._best
        if not best.best_step:
            return loss
        return f"{loss}  dev {self._training.dev_score:.3f} (best {best.best_score:.3f} at {best.best_step})"
