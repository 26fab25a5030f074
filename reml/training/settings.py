"""How a model is trained: flat settings that a configuration can write."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

from reml.contract.arguments.checked import checked
from reml.contract.arguments.numbers import Count, Positive, Seed, Share, Weight
from reml.contract.examples import Json

Precision = Literal["auto", "32-true", "bf16-mixed"]


@checked("training")
@dataclass(frozen=True, kw_only=True)
class Training:
    """Settings of one training run.

    Args:
        steps: updates of the weights.
        epochs: if given, takes the place of steps.
        batch_size: examples an update learns from.
        accumulate: equal parts in which a batch is computed, one after the other. In-batch negatives are those of a
            part: to keep those of the whole batch, lower `gradient_cache` instead.
        gradient_cache: texts of which a retriever that learns keeps the activations at once, the others being encoded
            a second time when their gradient is known (GradCache); all of a batch if left out.
        devices: processes that share a batch equally, each with a device (GPUs where there are any, else the CPU).
        sharded: each device holds a share of the parameters of a predictor that learns from right answers, for
            predictors that one device cannot train.
        rate: the peak learning rate of AdamW.
        rates: other peak rates of parts, by the start of a parameter's name (`predictor.encoder`); the longest start
            that fits counts, and 0 freezes the part.
        warmup: share of the steps in which the rate rises to its peak; then it falls in a line to zero.
        weight_decay: of matrices, not of vectors.
        clip: largest norm of the gradient.
        precision: `auto` is bf16-mixed where the machine is fast in it, else 32-true.
        check_every: steps between two looks at the dev score.
        patience: looks without gain before it stops early; never if left out.
        save_every: steps between two states that an interrupted run goes on from.
        seed: of the order of examples and all that is random; an experiment's own seed takes its place.
    """

    steps: Count = 1000
    epochs: Positive | None = None
    batch_size: Count = 16
    accumulate: Count = 1
    gradient_cache: Count | None = None
    devices: Count = 1
    sharded: bool = False
    rate: Positive = 1e-4
    rates: Mapping[str, Weight] = field(default_factory=dict)
    warmup: Share = 0.1
    weight_decay: Weight = 0.01
    clip: Positive = 1.0
    precision: Precision = "auto"
    check_every: Count = 200
    patience: Count | None = None
    save_every: Count = 200
    seed: Seed = 0

    def __post_init__(self) -> None:
        _require(not self.sharded or self.devices > 1, "sharded", True, "false on one device: raise training.devices")
        if self.batch_size % (self.accumulate * self.devices):
            raise ValueError(
                f"a batch of {self.batch_size} cannot be computed in {self.accumulate} equal parts on {self.devices} "
                "devices: choose a `batch_size` that `accumulate` x `devices` divides."
            )

    def to_json(self) -> dict[str, Json]:
        """Give the settings for a manifest; those which change no result, such as `devices`, only where set."""
        written: dict[str, Json] = {**asdict(self), "rates": dict(self.rates)}
        unset: dict[str, Json] = {"gradient_cache": None, "devices": 1, "sharded": False}
        return {name: value for name, value in written.items() if name not in unset or value != unset[name]}

    def total_steps(self, epoch_size: int) -> int:
        """Count the steps of the whole run over a training set with `epoch_size` examples an epoch."""
        return self.steps if self.epochs is None else math.ceil(self.epochs * epoch_size / self.batch_size)


@checked()
@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A stretch of a training that has several. What is left out is as in the training of all of them.

    Args:
        steps: updates of the weights.
        epochs: if given, takes the place of steps.
        rate: the peak learning rate.
        rates: other peak rates of parts, by the start of a parameter's name; 0 freezes the part.
    """

    steps: Count | None = None
    epochs: Positive | None = None
    rate: Positive | None = None
    rates: Mapping[str, Weight] | None = None

    def __post_init__(self) -> None:
        self.of(Training())

    def of(self, training: Training) -> Training:
        """Give the settings of this stretch; `ValueError` for what training does not allow."""
        fresh = self.steps is not None or self.epochs is not None
        return replace(
            training,
            steps=training.steps if self.steps is None else self.steps,
            epochs=self.epochs if fresh else training.epochs,
            rate=training.rate if self.rate is None else self.rate,
            rates=training.rates if self.rates is None else self.rates,
        )


def _require(holds: bool, name: str, given: object, allowed: str) -> None:
    if not holds:
        raise ValueError(f"training.{name} is {given}, but must be {allowed}.")
