"""Where a report's figures come from: stages and their costs, versions, checksums and the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reml.contract.examples import Json
from reml.reporting.amounts import duration, memory
from reml.reporting.cost_table import cost_table
from reml.reporting.step_table import step_table
from reml.reporting.table import Table


@dataclass(frozen=True, slots=True)
class Origin:
    """What `templates/origin.html` shows: costs by part, step and stage, facts by their headings, the configuration."""

    costs: Table
    steps: Table
    stages: Table
    facts: Mapping[str, Mapping[str, str]]
    config: str


def origin_of(manifest: Mapping[str, Json]) -> Origin:
    """Take what a run's manifest says; parts that it lacks are left out."""
    stages = manifest.get("stages")
    run: dict[str, Json] = {name: manifest.get(name) for name in ("reml", "seed", "replaces")}
    return Origin(
        costs=cost_table(_object(manifest.get("costs"))),
        steps=step_table(_object(manifest.get("steps"))),
        stages=_stages(stages if isinstance(stages, list) else []),
        facts={
            "Run": _texts(run),
            "Versions": _texts(_object(manifest.get("versions"))),
            "Checksums": _texts(_object(manifest.get("checksums"))),
            **({"Texts": _texts(said)} if (said := _object(manifest.get("credits"))) else {}),
        },
        config=json.dumps(manifest.get("config"), indent=2, ensure_ascii=False),
    )


def _stages(stages: Sequence[Json]) -> Table:
    rows = [_stage(_object(stage)) for stage in stages]
    return Table(("Stage", "Time", "CPU", "Peak memory", "Disk", ""), frozenset({"Stage", ""}), rows)


def _stage(stage: Mapping[str, Json]) -> tuple[str, ...]:
    spent = (
        *(duration(stage.get(name)) for name in ("seconds", "cpu_seconds")),
        *(memory(stage.get(name)) for name in ("peak_memory_bytes", "bytes")),
    )
    return (str(stage.get("name", "")), *spent, "from cache" if stage.get("cached") else "")


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(values: Mapping[str, Json]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
