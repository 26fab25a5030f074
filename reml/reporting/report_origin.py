"""Where a report's figures come from: stages and their costs, versions, checksums and the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reml.contract.examples import Json
from reml.reporting.table import Table


@dataclass(frozen=True, slots=True)
class Origin:
    """What `templates/origin.html` shows: the stages and their costs, facts by their headings, the configuration."""

    stages: Table
    facts: Mapping[str, Mapping[str, str]]
    config: str


def origin_of(manifest: Mapping[str, Json]) -> Origin:
    """Take what a run's manifest says; parts that it lacks are left out."""
    stages = manifest.get("stages")
    run: dict[str, Json] = {name: manifest.get(name) for name in ("reml", "seed", "replaces")}
    return Origin(
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


def duration(seconds: Json) -> str:
    """Say a number of seconds as a person would; a dash for what is no number."""
    if not isinstance(seconds, int | float):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def memory(size: Json) -> str:
    """Say a number of bytes in KiB, MiB or GiB; a dash for what is no number."""
    if not isinstance(size, int | float):
        return "–"
    if size < 2**20:
        return f"{size / 2**10:.0f} KiB"
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _texts(values: Mapping[str, Json]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items() if value is not None}
