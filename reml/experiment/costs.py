"""What a system cost: the sums over the nodes under its predictions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from reml.experiment.plan.node import Node
from reml.experiment.plan.store import Stage, Stages

LEARNT = {"models", "signals", "starts"}


@dataclass(frozen=True)
class Parts:
    """The stages under predictions, but collections: what was learnt and all that this took; what is searched."""

    learnt: list[Stage]
    indexed: list[Stage]
    retrieved: list[Stage]
    predicted: Stage


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
