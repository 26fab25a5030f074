"""What an experiment cost, part by part, as a table for the terminal and the report."""

from __future__ import annotations

from collections.abc import Mapping

from reml.contract.examples import Json
from reml.reporting.amounts import duration, memory
from reml.reporting.table import Table

COLUMNS = ("part", "stages", "made now", "time", "CPU", "peak memory", "disk")


def cost_table(costs: Mapping[str, Json]) -> Table:
    """Show what `costs` of a run's manifest says of each part, and of all; a part that was there already says so."""
    parts = {part: values for part, values in costs.items() if isinstance(values, dict)}
    rows = [_row(part, values) for part, values in parts.items()]
    return Table(COLUMNS, frozenset({"part"}), [*rows, _row("all", _all(list(parts.values())))] if rows else [])


def _row(part: str, values: Mapping[str, Json]) -> tuple[str, ...]:
    counts = str(values.get("stages", "")), str(values.get("made", ""))
    spent = duration(values.get("seconds")), duration(values.get("cpu_seconds"))
    return (part, *counts, *spent, memory(values.get("peak_memory_bytes")), memory(values.get("bytes")))


def _all(parts: list[dict[str, Json]]) -> dict[str, Json]:
    sums = {name: _sum([part.get(name) for part in parts]) for name in ("stages", "made", "seconds", "cpu_seconds")}
    peaks = [peak for part in parts if isinstance(peak := part.get("peak_memory_bytes"), int)]
    return {**sums, "peak_memory_bytes": max(peaks, default=None), "bytes": _sum([part.get("bytes") for part in parts])}


def _sum(values: list[Json]) -> Json:
    known = [value for value in values if isinstance(value, int | float)]
    return sum(known) if len(known) == len(values) else None
