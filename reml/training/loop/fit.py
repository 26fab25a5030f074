"""Train a regime in a folder, so that a killed run goes on from where it was and a finished one is not run again.

training.json             what the run was started with: settings and digests of data and model
metrics.csv, tensorboard/ the numbers of every step
states/step-00000200/     the newest state, while the run is not finished
indexes/step-00000100/    what is searched while the run is not finished, where it makes an index of its own
best.safetensors          the weights with the best dev score (the last ones where there is no dev set)
trained.json              written at the end: `Fitted`
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import signal
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from pytorch_lightning import Callback, Trainer
from pytorch_lightning.loggers import Logger, TensorBoardLogger
from pytorch_lightning.strategies import DDPStrategy, Strategy
from rich.console import Console

from reml.contract.examples import Json
from reml.devices.device import default_device
from reml.devices.precision import fast_bfloat16
from reml.devices.progress import shown_on
from reml.devices.random_state import seed_random
from reml.devices.rank_zero import check_rank, is_rank_zero, local_rank
from reml.devices.ranks import together
from reml.files.atomic import (
    CorruptError,
    StaleError,
    digest,
    locked,
    read_json,
    repair_of,
    signed,
    unsigned,
    write_json,
)
from reml.files.integrity.sealed import FILES, check_sealed, sealed
from reml.files.weights import load_weights
from reml.training.data.sets import DevSet, TrainSet
from reml.training.loop.batches import TrainingData
from reml.training.loop.best import KeepBest
from reml.training.loop.checkpoint import SafeCheckpoints, logged_until
from reml.training.loop.metrics import MetricsCsv
from reml.training.loop.module import PredictorTraining
from reml.training.loop.progress import ProgressLine
from reml.training.loop.refresh_callback import RefreshIndex
from reml.training.loop.resume import SaveState, newest_state, saved_step
from reml.training.regimes.regimes import Regime
from reml.training.scale.sharding import Sharding, check_shareable, save_trained, whole_afterwards
from reml.training.settings import Training

STARTED, FITTED, METRICS = "training.json", "trained.json", "metrics.csv"
WEIGHTS, STATES, INDEXES = "best.safetensors", "states", "indexes"


@dataclass(frozen=True)
class Fitted:
    """How a run ended: steps done, the step whose weights were kept, and their dev score (None without dev sets)."""

    steps: int
    best_step: int
    score: float | None


def fit(
    regime: Regime,
    train: TrainSet,
    *,
    dev: Sequence[DevSet],
    settings: Training,
    folder: Path,
    console: Console | None = None,
) -> Fitted:
    """Train in `folder`, or go on with the run that is there, or take its result if it is finished.

    Afterwards the regime holds the best weights and is in evaluation mode. If numbers are to be repeated, the weights
    it comes with must be the same each time. console: shows progress there. Raises `StaleError` if the folder holds
    another run, `LockedError` while another process trains there.

    On several devices the command that calls this is started once more for each further one (`reml.devices.ranks`),
    and only the first process returns.
    """
    if is_rank_zero():
        with locked(folder / STATES):
            _claim(folder, regime, train, dev, settings)
            if not (folder / FITTED).exists():
                _run(regime, train, dev=dev, settings=settings, folder=folder, console=console)
    elif not (folder / FITTED).exists():
        check_rank(folder)
        _run(regime, train, dev=dev, settings=settings, folder=folder, console=None)
    return open_fitted(regime, folder)


def open_fitted(regime: Regime, folder: Path) -> Fitted:
    """Load the best weights of a finished run into a regime and put it in evaluation mode."""
    path = folder / FITTED
    if not path.exists():
        raise CorruptError(f"{folder} holds no finished training run: train there first.")
    again = repair_of(folder)
    read = read_json(path, again)
    value = unsigned(read, path, again) if isinstance(read, dict) else {}
    if not {"steps", "best_step", "score"} <= set(value):
        raise CorruptError(f"{path} is not the result of a training run. {again}")
    check_sealed(folder, value, again=again)
    load_weights(regime, folder / WEIGHTS)
    regime.eval()
    score = value["score"]
    return Fitted(int(str(value["steps"])), int(str(value["best_step"])), None if score is None else float(str(score)))


def _claim(folder: Path, regime: Regime, train: TrainSet, dev: Sequence[DevSet], settings: Training) -> None:
    run: dict[str, Json] = {
        "settings": settings.to_json(),
        "train": digest(*(part.fingerprint for part in train.parts), train.order.epoch(settings.seed, 0).tobytes()),
        "dev": {part.name: part.retrieved.fingerprint for part in dev},
        "model": digest({name: list(value.shape) for name, value in regime.named_parameters()}),
    }
    if train.refreshed is not None:
        run["refresh"] = repr(train.refreshed.refresh)
    path = folder / STARTED
    if path.exists() and _started(path) != run:
        raise StaleError(
            f"{folder} holds a training run with other settings, examples or parameters ({path.name} says which): "
            "move it away, or name another folder."
        )
    write_json(path, signed(run))


def _started(path: Path) -> Json:
    """Read what a run was started with."""
    again = "If it is this one, move that file away to go on."
    run = read_json(path, again)
    return unsigned(run, path, again) if isinstance(run, dict) else run


def _run(
    regime: Regime,
    train: TrainSet,
    *,
    dev: Sequence[DevSet],
    settings: Training,
    folder: Path,
    console: Console | None,
) -> None:
    _check_devices(train, dev, settings)
    if settings.sharded:
        check_shareable(regime)
    training = PredictorTraining(regime, dev, settings)
    best = KeepBest(training, folder / WEIGHTS, settings.patience)
    callbacks: list[Callback] = [SaveState(folder / STATES, settings.save_every)]
    callbacks += _refreshed(train, settings, folder)
    callbacks += [best] if dev else []
    callbacks += [ProgressLine(training, best)]
    total = settings.total_steps(len(train.order))
    seed_random(settings.seed + local_rank())
    regime.train()
    afterwards = whole_afterwards(regime) if settings.sharded else contextlib.nullcontext()
    shown = shown_on(console if console is not None else Console(quiet=True))
    with _quiet(), together(folder), afterwards, shown:
        trainer = _trainer(settings, total=total, looks=bool(dev), folder=folder, callbacks=callbacks)
        data = TrainingData(train, dev, settings)
        with _interruptible():
            trainer.fit(training, datamodule=data, ckpt_path=newest_state(folder / STATES))
        if not dev:
            save_trained(regime, folder / WEIGHTS)
    score = best.best_score if dev else None
    _finish(folder, Fitted(trainer.global_step, best.best_step or trainer.global_step, score))


def _trainer(settings: Training, *, total: int, looks: bool, folder: Path, callbacks: list[Callback]) -> Trainer:
    return Trainer(
        accelerator="auto",
        devices=settings.devices,
        strategy=_strategy(settings),
        inference_mode=not settings.sharded,  # as Lightning's FSDP: https://github.com/pytorch/pytorch/issues/95957
        use_distributed_sampler=False,
        precision=_precision(settings),
        max_steps=total,
        accumulate_grad_batches=settings.accumulate,
        gradient_clip_val=settings.clip,
        # In batches of Lightning's only epoch: it resumes that count rightly, not the one over all epochs.
        val_check_interval=min(settings.check_every, total) * settings.accumulate,
        limit_val_batches=1.0 if looks else 0,
        num_sanity_val_steps=0,
        logger=_loggers(folder) if is_rank_zero() else False,
        callbacks=callbacks,
        plugins=[SafeCheckpoints()],
        default_root_dir=folder,
        log_every_n_steps=1,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _strategy(settings: Training) -> Strategy | Literal["auto"]:
    if settings.devices == 1:
        return "auto"
    # A device may have no item in its share of a batch, and encoders have parts that are not used.
    return Sharding(settings.devices) if settings.sharded else DDPStrategy(find_unused_parameters=True)


def _refreshed(train: TrainSet, settings: Training, folder: Path) -> list[Callback]:
    if train.refreshed is None:
        return []
    epoch = Fraction(len(train.order), settings.batch_size)
    return [RefreshIndex(train.refreshed, folder / INDEXES, states=folder / STATES, epoch=epoch)]


def _loggers(folder: Path) -> list[Logger]:
    state = newest_state(folder / STATES)
    done = saved_step(state) if state is not None else 0
    return [
        MetricsCsv(folder / METRICS, after=done, known=logged_until(state) if state is not None else None),
        TensorBoardLogger(folder, name="tensorboard", version="", default_hp_metric=False, purge_step=done + 1),
    ]


def _check_devices(train: TrainSet, dev: Sequence[DevSet], settings: Training) -> None:
    small = [part.name for part in dev if len(part.retrieved) < settings.devices]
    if small:
        raise ValueError(
            f"the dev sets {', '.join(small)} have fewer examples than there are devices, {settings.devices}: "
            "give each device one example at least."
        )
    if settings.devices > 1 and train.refreshed is not None:
        raise ValueError(
            f"an index that is searched and refreshed while training lives on one device, not {settings.devices}: "
            "set training.devices to 1, or learn on lists that were retrieved before."
        )


def _precision(settings: Training) -> Literal["32-true", "bf16-mixed"]:
    if settings.precision != "auto":
        return settings.precision
    return "bf16-mixed" if fast_bfloat16(default_device().type) else "32-true"


def _finish(folder: Path, fitted: Fitted) -> None:
    kept = sealed(folder, among=[folder / name for name in (WEIGHTS, METRICS)])
    write_json(folder / FITTED, signed({**asdict(fitted), FILES: kept}))
    for state in (folder / STATES).glob("step-*"):
        shutil.rmtree(state, ignore_errors=True)
    for version in (folder / INDEXES).glob("step-*"):
        shutil.rmtree(version, ignore_errors=True)
    with contextlib.suppress(OSError):  # it is not there, or holds something else
        (folder / INDEXES).rmdir()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep Lightning's notes on devices and modes, which ask nothing of the reader, out of the terminal."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            # Lightning 2.6 asks torch 2.13 in an older way; frozen parts may stay in evaluation mode on purpose.
            warnings.filterwarnings("ignore", message=r".*isinstance\(treespec, LeafSpec\)", category=FutureWarning)
            warnings.filterwarnings("ignore", message=r"Found \d+ module\(s\) in eval mode")
            # Nobody changes in place the position biases that T5's layers return as views.
            warnings.filterwarnings("ignore", message=r"FSDP2-wrapped module \(\w+\) returned a view tensor")
            warnings.filterwarnings("ignore", message=r"torch\.distributed\.nn\.functional\.", category=FutureWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Raise `KeyboardInterrupt` on Ctrl-C: Lightning ends the process instead, and ignores the next Ctrl-C."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    except SystemExit as end:
        if not isinstance(end.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from None
