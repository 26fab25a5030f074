"""The graph of an experiment as people read it: each node, whether it is made, and what it is made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reml.experiment.plan.node import Node
from reml.experiment.plan.planner import Planner
from reml.experiment.plan.store import Stages
from reml.reporting.table import Table

GROUPS = {"group", "several"}
COLUMNS = ("", "kind", "name", "key", "made", "of")


def nodes(planner: Planner) -> list[Node[Any]]:
    """Give all nodes of an experiment, what a node is made of before it. Nothing is made."""
    seen: dict[str, Node[Any]] = {}
    for root in _roots(planner):
        for node in root.below():
            seen.setdefault(node.key, node)
    return [node for node in seen.values() if node.kind not in GROUPS]


def graph(planner: Planner, stages: Stages) -> Table:
    """Show all nodes by number: kind, name, key, whether it is made (values are on no disk), numbers of its inputs."""
    there = nodes(planner)
    numbers = {node.key: str(number) for number, node in enumerate(there, start=1)}
    rows = []
    for node in there:
        made = "" if node.make is None else "yes" if stages.is_made(node) else "no"
        inputs = " ".join(_inputs(node, numbers))
        rows.append((numbers[node.key], _kind(planner, node), node.name, node.key, made, inputs))
    return Table(COLUMNS, frozenset(COLUMNS), rows)


def _roots(planner: Planner) -> Iterator[Node[Any]]:
    experiment = planner.experiment
    for task in experiment.tasks:
        for system in experiment.compared if experiment.makers else ():
            yield planner.predictions(system, task.name)
        searched = (name for name, access in experiment.access.items() if access.storage is None)
        for access in searched:
            yield planner.hits(access, task.name, experiment.reading.split_of(task.name))


def _kind(planner: Planner, node: Node[Any]) -> str:
    """Name the kind of a node; of an access model with its category."""
    return f"{node.kind}, category {planner.access(node.name).category}" if node.kind == "access" else node.kind


def _inputs(node: Node[Any], numbers: dict[str, str]) -> Iterator[str]:
    for one in node.known_inputs:
        if one.kind in GROUPS:
            yield from _inputs(one, numbers)
        else:
            yield numbers[one.key]
