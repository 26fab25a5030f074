"""The bridge from a regime to Lightning: steps, optimiser, dev scores. All else is the regime's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import Optimizer

from reml.contract.asking import answers_of
from reml.contract.examples import Answer
from reml.contract.predictors import Batch
from reml.devices.ranks import all_gather, world_size
from reml.training.data.sets import DevSet
from reml.training.loop.optimizer import make_optimizer, make_schedule, share_of_peak
from reml.training.regimes.regimes import Regime
from reml.training.scale.sharding import Shares
from reml.training.settings import Training

LOSS, RATE, DEV = "train/loss", "train/rate", "dev/score"


class PredictorTraining(LightningModule):
    """Trains a regime and scores its predictor on the dev sets.

    loss, dev_score: the newest ones. Logged for each step: the loss (`train/loss`), each of its parts where there are
    several, what the regime observed, the learning rate as a share of its peak (`train/rate`); at each look the score
    of each dev set and their mean (`dev/score`).
    """

    def __init__(self, regime: Regime, dev: Sequence[DevSet], settings: Training) -> None:
        super().__init__()
        self.regime = regime
        self.loss, self.dev_score = math.nan, -math.inf
        self._dev, self._settings = tuple(dev), settings
        self._losses: list[dict[str, Tensor]] = []
        self._answers: list[list[Answer]] = [[] for _ in dev]
        self._shares: Shares | None = None

    def configure_model(self) -> None:
        """Divide the parameters among the devices, if that is wanted."""
        if self.device_mesh is not None:
            self._shares = Shares(self.regime, self.device_mesh["data_parallel"])

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Make AdamW and its schedule over the run's steps."""
        optimizer = make_optimizer(self.regime, self._settings)
        schedule = make_schedule(optimizer, self.trainer.max_steps, self._settings.warmup)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Give the mean loss of a batch; `ValueError` names the examples if it is not finite."""
        parts = {name: values.mean() for name, values in self.regime(batch).items()}
        loss = torch.stack(list(parts.values())).sum()
        extra = {f"train/{name}": value.detach() for name, value in parts.items()} if len(parts) > 1 else {}
        observed = {f"train/{name}": value for name, value in self.regime.observed.items()}
        means = self._over_devices({LOSS: loss.detach(), **extra, **observed})
        if not torch.isfinite(means[LOSS]):
            ids = [example.id for example in batch.examples]
            raise ValueError(
                f"the loss is {float(means[LOSS])} at step {self.global_step}, on examples {ids[:8]}: "
                "lower the learning rate, or look at these examples."
            )
        self._losses.append(means)
        if (batch_idx + 1) % self._settings.accumulate == 0:
            self._log_step()
        return loss

    def on_before_optimizer_step(self, optimizer: Optimizer) -> None:  # noqa: ARG002
        """Let the parts that rest in this step have no gradient, so that nothing moves or decays them."""
        for part in self.regime.resting(self.global_step):
            part.zero_grad(set_to_none=True)

    def configure_gradient_clipping(
        self,
        optimizer: Optimizer,  # noqa: ARG002
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,  # noqa: ARG002
    ) -> None:
        """Clip the norm over all parameters; Lightning refuses to for a fused optimiser, whatever the precision."""
        if gradient_clip_val is not None:
            nn.utils.clip_grad_norm_(self.parameters(), gradient_clip_val, foreach=True)

    def on_validation_epoch_start(self) -> None:
        """Let each device answer at its own pace."""
        if self._shares is not None:
            self._shares.gather()

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:  # noqa: ARG002
        """Answer the examples of a dev batch."""
        self._answers[dataloader_idx] += answers_of(self.regime.predictor, batch)

    def on_validation_epoch_end(self) -> None:
        """Score the answers of each dev set and take the mean over dev sets."""
        if self._shares is not None:
            self._shares.release()
        answered = [list(chain.from_iterable(stretches)) for stretches in zip(*all_gather(self._answers), strict=True)]
        scores = {
            dev.name: dev.score(dev.retrieved.examples, answers)
            for dev, answers in zip(self._dev, answered, strict=True)
        }
        self._answers = [[] for _ in self._dev]
        wrong = [name for name, score in scores.items() if not math.isfinite(score)]
        if wrong:
            raise ValueError(f"the dev scores of {', '.join(wrong)} are not finite numbers: look at their measure.")
        self.dev_score = sum(scores.values()) / len(scores)
        self._write({**{f"dev/{name}": score for name, score in scores.items()}, DEV: self.dev_score}, self.global_step)

    @property
    def judged_by(self) -> str:
        """What the dev score is: `KILT-em of qa`, or the mean of several."""
        tasks: dict[str, list[str]] = {}
        for dev in self._dev:
            tasks.setdefault(dev.measure(), []).append(dev.name)
        said = ", ".join(f"{measure} of {' and '.join(names)}" for measure, names in tasks.items())
        return f"mean of {said}" if len(self._dev) > 1 else said

    def _over_devices(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Take the mean of each value over the devices that share a batch, in one go."""
        if world_size() == 1:
            return dict(values)
        stacked = torch.stack([value.float() for value in values.values()])
        return dict(zip(values, self.trainer.strategy.reduce(stacked, reduce_op="mean"), strict=True))

    def _log_step(self) -> None:
        # The update of this step comes after its loss: it will be step global_step + 1.
        means = {name: float(torch.stack([loss[name] for loss in self._losses]).mean()) for name in self._losses[0]}
        self._losses = []
        self.loss = means[LOSS]
        rate = share_of_peak(self.global_step, self.trainer.max_steps, self._settings.warmup)
        self._write({**means, RATE: rate}, self.global_step + 1)

    def _write(self, metrics: Mapping[str, float], step: int) -> None:
        for logger in self.loggers:
            logger.log_metrics(dict(metrics), step)
