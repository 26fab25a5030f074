"""What a system cost on a task when its parts were made: the sums over the nodes under its predictions.

Where nothing is predicted, those under what its access model found.
"""

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
    """The stages under predictions, but collections: what was learnt and all that this took; what is searched.

    predicted: none where nothing is predicted.
    """

    learnt: list[Stage]
    indexed: list[Stage]
    retrieved: list[Stage]
    predicted: list[Stage]


@dataclass(frozen=True, slots=True)
class Costs:
    """Seconds, bytes and words. Parts that several cells share (an index, a trained model) count whole in each.

    train: of retrievers and predictor. index, index_bytes: of all indexes it searches. retrieve, predict: of all
    examples. peak_memory_bytes: the largest of any part. words: of items, read for an example on average; `None` where
    nothing is predicted, or by a version that did not count them.
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
    parts = parts_of(_made_last(runner, system, task), runner.stages)
    every = [*parts.learnt, *parts.indexed, *parts.retrieved, *parts.predicted]
    return Costs(
        train=sum(stage.seconds for stage in parts.learnt),
        index=sum(stage.seconds for stage in parts.indexed),
        retrieve=sum(stage.seconds for stage in parts.retrieved),
        predict=sum(stage.seconds for stage in parts.predicted),
        peak_memory_bytes=max((stage.peak_memory_bytes for stage in every), default=0),
        index_bytes=sum(stage.bytes for stage in parts.indexed),
        words=words_read(parts.predicted[-1]) if parts.predicted else None,
    )


def _made_last(runner: Runner, system: str, task: str) -> Node[Any]:
    """Give a system's predictions, or what its only access model finds where nothing is predicted from it."""
    if runner.experiment.makers:
        return runner.plan.predictions(system, task)
    (access,) = runner.experiment.compared[system].access
    return runner.plan.hits(access, task, runner.experiment.reading.split_of(task))


def parts_of(last: Node[Any], stages: Stages) -> Parts:
    """Make predictions, or hits where nothing is predicted, if they are not there; gather what they took.

    What is searched to answer counts as index and hits; indexes and hits that only a training needed, as learning.
    """
    stages.open(last)
    served = [node for node in last.below(lambda node: node.kind not in LEARNT) if node.kind not in LEARNT]
    keys = {node.key for node in served}
    learnt = [node for node in last.below() if node.key not in keys]
    return Parts(
        learnt=_there(learnt, stages),
        indexed=_there((node for node in served if node.kind == "indexes"), stages),
        retrieved=_there((node for node in served if node.kind == "hits"), stages),
        predicted=_there((node for node in served if node.kind == "predictions"), stages),
    )


def _there(nodes: Iterable[Node[Any]], stages: Stages) -> list[Stage]:
    made = (stages.known(node) for node in nodes if node.make is not None and node.kind != "collections")
    return [stage for stage in made if stage is not None]
