"""What an experiment cost, part by part: its collections, indexes, retrieval, training and predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reml.contract.examples import Json
from reml.experiment.plan.store import Stage

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
