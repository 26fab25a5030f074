"""What a system cost on a task when its parts were made: the sums over the nodes under its predictions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reml.experiment.plan.node import Node
from reml.experiment.plan.predictions import words_read
from reml.experiment.plan.store import Stage, Stages
from reml.experiment.runner import Runner

LEARNT = {"models", "signals", "starts"}


@dataclass(frozen=True)
class Parts:
    """The stages under predictions, but collections: what was learnt and all that this took; what is searched."""

    learnt: list[Stage]
    indexed: list[Stage]
    retrieved: list[Stage]
    predicted: Stage


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


def costs_of(runner: Runner, system: str, task: str) -> Costs:
    """Gather the costs of a system on a task from its stages; what is not made yet is made."""
    parts = parts_of(runner.plan.predictions(system, task), runner.stages)
    every = [*parts.learnt, *parts.indexed, *parts.retrieved, parts.predicted]
    return Costs(
        train=sum(stage.seconds for stage in parts.learnt),
        index=sum(stage.seconds for stage in parts.indexed),
        retrieve=sum(stage.seconds for stage in parts.retrieved),
        predict=parts.predicted.seconds,
        peak_memory_bytes=max(stage.peak_memory_bytes for stage in every),
        index_bytes=sum(stage.bytes for stage in parts.indexed),
        words=words_read(parts.predicted),
    )


def parts_of(predictions: Node[Any], stages: Stages) -> Parts:
    """Make predictions, if they are not there, and gather what they took.

    What is searched to answer counts as index and hits; indexes and hits that only a training needed, as learning.
    """
    predicted = stages.stage(predictions)
    served = [node for node in predictions.below(lambda node: node.kind not in LEARNT) if node.kind not in LEARNT]
    keys = {node.key for node in served}
    learnt = [node for node in predictions.below() if node.key not in keys]
    return Parts(
        learnt=_there(learnt, stages),
        indexed=_there((node for node in served if node.kind == "indexes"), stages),
        retrieved=_there((node for node in served if node.kind == "hits"), stages),
        predicted=predicted,
    )


def _there(nodes: Iterable[Node[Any]], stages: Stages) -> list[Stage]:
    made = (node for node in nodes if node.make is not None and node.kind != "collections" and stages.is_made(node))
    return [stages.cost(node) for node in made]
