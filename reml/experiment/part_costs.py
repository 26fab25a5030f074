"""What an experiment cost, part by part: collections, indexes, retrieval and its steps, training and predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reml.contract.examples import Json
from reml.experiment.plan.hits import STEPS
from reml.experiment.plan.store import Stage
from reml.files.atomic import read_json

TRAINING = "training"
PARTS: Mapping[str, str] = {
    "collections": "collection",
    "indexes": "index",
    "hits": "retrieval",
    TRAINING: TRAINING,
    "predictions": "prediction",
}


def part_costs(stages: Iterable[Stage]) -> dict[str, Json]:
    """Sum the costs of stages by part, in the order of `PARTS`; a part without stages is left out.

    Of each part: how many stages it has and how many this run made, seconds, seconds of CPU (`None` where a stage was
    made by a version that did not count them), the largest peak of memory and the bytes that it has on disk. What is
    none of the others is training: models, and what they learnt from.
    """
    by_part: dict[str, list[Stage]] = {}
    for stage in stages:
        by_part.setdefault(PARTS.get(stage.folder.parent.name, TRAINING), []).append(stage)
    return {part: _sums(by_part[part]) for part in PARTS.values() if part in by_part}


def step_costs(found: Mapping[tuple[str, str], Stage]) -> dict[str, Json]:
    """Give what each step took of those that found something, by task and access model, in order.

    found: the stages of what was found, by task and access model. Of each step: name, queries, items (that it read;
    of a search, that it found), seconds, and the examples asked for. Empty where no access model has more than its
    search.
    """
    steps = {place: read_json(path) for place, stage in found.items() if (path := stage.folder / STEPS).is_file()}
    if not any(isinstance(taken, list) and len(taken) > 1 for taken in steps.values()):
        return {}
    by_task: dict[str, dict[str, Json]] = {}
    for (task, access), taken in steps.items():
        by_task.setdefault(task, {})[access] = taken
    return {**by_task}


def _sums(stages: list[Stage]) -> dict[str, Json]:
    cpu = [stage.cpu_seconds for stage in stages]
    return {
        "stages": len(stages),
        "made": sum(not stage.cached for stage in stages),
        "seconds": round(sum(stage.seconds for stage in stages), 3),
        "cpu_seconds": None if None in cpu else round(sum(one for one in cpu if one is not None), 3),
        "peak_memory_bytes": max(stage.peak_memory_bytes for stage in stages),
        "bytes": sum(stage.bytes for stage in stages),
    }
