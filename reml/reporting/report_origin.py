"""Where a report's figures come from: stages and their costs, versions, checksums and the configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from xml.etree import ElementTree as Tree

from reml.contract.examples import Json
from reml.reporting.markup import element


def origin_section(manifest: Mapping[str, Json]) -> Tree.Element:
    """Show a run's manifest; parts that it lacks are left out."""
    parts = [element("h2", None, "Where this comes from")]
    stages = manifest.get("stages")
    if isinstance(stages, list) and stages:
        parts.append(_stages(stages))
    origin: dict[str, Json] = {"reml": manifest.get("reml"), "seed": manifest.get("seed")}
    grids = [
        _pairs("Run", origin),
        *(_pairs(name.title(), _object(manifest.get(name))) for name in ("versions", "checksums")),
    ]
    parts.append(element("div", {"class": "grids"}, *grids))
    config = json.dumps(manifest.get("config"), indent=2, ensure_ascii=False)
    parts.append(
        element("details", None, element("summary", None, "Configuration"), element("pre", {"tabindex": "0"}, config))
    )
    return element("section", {"id": "origin"}, *parts)


def _stages(stages: Sequence[Json]) -> Tree.Element:
    names = ("Stage", "Time", "Peak memory", "")
    header = element("tr", None, *(element("th", {"scope": "col"}, name) for name in names))
    rows = [_stage(_object(stage)) for stage in stages]
    table = element("table", None, element("thead", None, header), element("tbody", None, *rows))
    return element("div", {"class": "scroll", "tabindex": "0", "role": "region", "aria-label": "Stages"}, table)


def _stage(stage: Mapping[str, Json]) -> Tree.Element:
    return element(
        "tr",
        None,
        element("th", {"scope": "row"}, str(stage.get("name", ""))),
        element("td", {"class": "number"}, duration(stage.get("seconds"))),
        element("td", {"class": "number"}, memory(stage.get("peak_memory_bytes"))),
        element("td", None, "from cache" if stage.get("cached") else ""),
    )


def duration(seconds: Json) -> str:
    """Say a number of seconds as a person would; a dash for what is no number."""
    if not isinstance(seconds, int | float):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def memory(size: Json) -> str:
    """Say a number of bytes in MiB or GiB; a dash for what is no number."""
    if not isinstance(size, int | float):
        return "–"
    return f"{size / 2**30:.2f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _object(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _pairs(title: str, values: Mapping[str, Json]) -> Tree.Element:
    rows = [
        element("tr", None, element("th", {"scope": "row"}, name), element("td", None, str(value)))
        for name, value in values.items()
        if value is not None
    ]
    return element("div", None, element("h3", None, title), element("table", None, element("tbody", None, *rows)))
