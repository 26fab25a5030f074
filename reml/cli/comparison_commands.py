"""The commands on runs that were kept: `reml runs` and `reml compare`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from json import dumps
from pathlib import Path

from rich.console import Console

from reml.comparison.runs.comparing import compare
from reml.comparison.runs.kept import RUNS
from reml.comparison.runs.listing import differences_told, listing_json, listing_table, runs
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.files.atomic import home as default_home
from reml.reporting.terminal import print_table, say


@takes_paths
def list_runs(*, home: Path | None = None, json: bool = False) -> None:
    """List the runs in REML_HOME, the newest first, and in which settings each differs from the one before.

    Args:
        home: where all is kept (default: REML_HOME).
        json: print them as JSON, with all figures and settings that differ.
    """
    place = default_home() if home is None else home
    found = runs(place)
    if json:
        _print(listing_json(found))
        return
    console = Console()
    if not found:
        say(console, f"{place / RUNS} has no runs yet: `reml run --config FILE.yaml` makes one.")
        return
    print_table(console, listing_table(found))
    for run in found:
        say(console, differences_told(run), *([f" {run.note}"] if run.note else []))


@takes_paths
def compare_runs(
    *runs: str,
    access: str = "",
    measures: str = "",
    html: Path | None = None,
    json: bool = False,
    home: Path | None = None,
) -> None:
    """Compare runs: settings, figures with intervals and paired tests, answers that changed.

    Args:
        runs: two or more: the folder of each, or its name or key as `reml runs` shows them, or the beginning of either.
        access: access models to compare, with commas between, FIRST/SECOND where the name is another in the second run;
            those that all runs have if left out.
        measures: names, with commas between; R-precision, the task's own measure and its KILT score if left out.
        html: a file for all of it as one page.
        json: print all of it as JSON.
        home: where runs are kept (default: REML_HOME).
    """
    found = compare(*runs, systems=list(_pairs(access)), measures=_names(measures), home=home)
    if html is not None:
        found.write_html(html)
    if json:
        _print(found.to_json())
        return
    console = Console()
    for table in found.tables():
        print_table(console, table)
    for remark in (remark for pair in found.pairs for remark in pair.remarks):
        say(console, remark)
    if html is not None:
        say(console, f"page: {html}")


def _pairs(access: str) -> Iterator[tuple[str, str]]:
    for pair in _names(access):
        first, across, second = pair.partition("/")  # which no name has
        if not first or (across and not second):
            raise ValueError(f"--access has {pair!r}: name an access model, or two as FIRST/SECOND.")
        yield first, second or first


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _print(value: Json | list[Json]) -> None:
    sys.stdout.write(dumps(value, indent=1) + "\n")
