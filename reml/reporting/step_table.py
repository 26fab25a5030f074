"""What each step of access models took, as a table for the terminal and the report: a cascade's costs, by stage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reml.contract.examples import Json
from reml.reporting.table import Table

COLUMNS = ("task", "access", "step", "items a query", "ms a query", "share")


def step_table(steps: Mapping[str, Json]) -> Table:
    """Show what `steps` of a run's manifest says of each step: of the time of its access model, its share."""
    return Table(COLUMNS, frozenset({"task", "access", "step"}), [row for rows in _rows(steps) for row in rows])


def _rows(steps: Mapping[str, Json]) -> Iterator[list[tuple[str, ...]]]:
    for task, by_access in steps.items():
        for access, taken in by_access.items() if isinstance(by_access, dict) else ():
            known = [step for step in taken if isinstance(step, dict)] if isinstance(taken, list) else []
            whole = sum(_number(step.get("seconds")) for step in known)
            yield [(task, access, *_cells(step, whole)) for step in known]


def _cells(step: Mapping[str, Json], whole: float) -> tuple[str, ...]:
    queries, seconds = max(1.0, _number(step.get("queries"))), _number(step.get("seconds"))
    items = f"{_number(step.get('items')) / queries:.1f}"
    return (
        str(step.get("name", "")),
        items,
        _short(1000 * seconds / queries),
        f"{seconds / whole:.0%}" if whole else "–",
    )


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _number(value: Json) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
