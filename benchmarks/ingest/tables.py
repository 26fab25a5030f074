"""What was measured, as tables and sentences: for the terminal here, for a page in `page.py`."""

from __future__ import annotations

from collections.abc import Sequence

from reml.benchmarks.ingest.building import Built
from reml.benchmarks.ingest.interruption import Interruption
from reml.benchmarks.ingest.result import Growth
from reml.benchmarks.speed.tables import short
from reml.kilt.catalogue import PAGES
from reml.reporting.table import Table

BUILT = ("pages", "source MB", "passages", "disk MB", "peak MB", "wall s", "CPU s")
RATES = ("pages", "MB/s", "passages/s", "MB/CPU s", "passages/CPU s")
GROWN = ("quantity", "pages ^", "misfit", f"at {PAGES:,}", "by a line", "unit")


def built(builds: Sequence[Built]) -> Table:
    """Show what each build has made and cost."""
    return Table(BUILT, frozenset(), [_built_cells(one) for one in builds])


def rates(builds: Sequence[Built]) -> Table:
    """Show how much each build took in a second of wall time, and a second of CPU time."""
    return Table(RATES, frozenset(), [_rate_cells(one) for one in builds])


def grown(growths: Sequence[Growth]) -> Table:
    """Show the power laws, and where they and straight lines lead."""
    return Table(GROWN, frozenset({"quantity", "unit"}), [_growth_cells(one) for one in growths])


def interrupted(found: Interruption) -> str:
    """Say when the build was killed, what going on cost, and whether the files are those of an undisturbed build."""
    resumed = found.resumed
    told = (
        f"Killed with SIGKILL {found.moment.seconds:.2f} s after {found.moment.segments} of {resumed.segments} "
        f"segments, with {found.pages:,} of {resumed.pages:,} pages on record; "
        f"going on took {short(resumed.cost.wall)} s. "
    )
    if found.differing:
        return f"{told}{len(found.differing)} files DIFFER from the undisturbed build: {', '.join(found.differing)}."
    return f"{told}All {found.files} files are byte for byte those of the undisturbed build."


def _built_cells(one: Built) -> tuple[str, ...]:
    sizes = (one.disk / 1e6, one.cost.peak / 1e6, one.cost.wall, one.cost.cpu)
    return (f"{one.pages:,}", short(one.source / 1e6), f"{one.passages:,}", *map(short, sizes))


def _rate_cells(one: Built) -> tuple[str, ...]:
    taken = (one.source / 1e6, one.passages)
    per_second = (amount / seconds for seconds in (one.cost.wall, one.cost.cpu) for amount in taken)
    return (f"{one.pages:,}", *map(short, per_second))


def _growth_cells(one: Growth) -> tuple[str, ...]:
    laws = (f"{one.law.exponent:.2f}", f"{one.law.misfit:.2f}")
    return (one.quantity, *laws, short(one.at_kilt), short(one.line_at_kilt), one.unit)
