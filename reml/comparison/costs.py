"""What a cell cost when its parts were made, however long ago: time, memory, disk, words read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reml.experiment.costs import parts_of
from reml.experiment.plan.predictions import words_read
from reml.experiment.runner import Runner


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds, bytes and words. Parts that several cells share (an index, a trained model) count whole in each.

    train: of retrievers and predictor. index, index_bytes: of all indexes it searches. retrieve, predict: of all
    examples. peak_memory_bytes: the largest of any part. words: of items, read for an example on average; `None` where
    predictions were made by a version that did not count them.
    """

    train: float = 0.0
    index: float = 0.0
    retrieve: float = 0.0
    predict: float = 0.0
    peak_memory_bytes: int = 0
    index_bytes: int = 0
    words: float | None = None


NOTHING = Costs()


def costs_of(runner: Runner, access: str, task: str) -> Costs:
    """Gather the costs of a cell from its stages; what is not made yet is made."""
    parts = parts_of(runner.plan.predictions(access, task), runner.stages)
    every = [*parts.learnt, *parts.indexed, *parts.retrieved, parts.predicted]
    return Costs(
        train=sum(stage.seconds for stage in parts.learnt),
        index=sum(stage.seconds for stage in parts.indexed),
        retrieve=sum(stage.seconds for stage in parts.retrieved),
        predict=parts.predicted.seconds,
        peak_memory_bytes=max(stage.peak_memory_bytes for stage in every),
        index_bytes=sum(_bytes(stage.folder) for stage in parts.indexed),
        words=words_read(parts.predicted),
    )


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
