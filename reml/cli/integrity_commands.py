"""The commands on damaged files: `reml verify` finds them, `reml repair` keeps what is whole."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from reml.contract.arguments.paths import takes_paths
from reml.devices.progress import shown_on
from reml.experiment.integrity.repairing import repair as repair_folder
from reml.experiment.integrity.verifying import verify as verify_folders
from reml.files.atomic import CorruptError, usable_home
from reml.reporting.terminal import say


@takes_paths
def verify(*folders: Path, home: Path | None = None) -> None:
    """Read every byte that is on record, and list what is damaged or missing.

    Args:
        folders: homes, or folders in one: of a run, a stage, a collection, an index; all of REML_HOME if left out.
        home: where all is kept (default: REML_HOME).
    """
    console = Console()
    with shown_on(console):
        found = verify_folders(*(folders or (usable_home(home),)))
    for damage in found.damaged:
        say(console, (damage.problem, "bold"), f" {damage.then}")
    said = f"{found.files:,} files on record were read, {found.bytes:,} bytes. Not on record are {found.unrecorded:,}."
    if found.damaged:
        say(console, said)
        raise CorruptError(f"{len(found.damaged):,} of {found.files:,} files on record are damaged or missing.")
    say(console, f"all is whole: {said}")


@takes_paths
def repair(folder: Path, *, dry_run: bool = False) -> None:
    """Keep what is whole of a damaged folder; list what is lost. Nothing is deleted.

    Args:
        folder: one that `reml verify`, or an error, has named: of a stage, a run, a collection or an index.
        dry_run: say what would be done, and do nothing.
    """
    console = Console()
    done = repair_folder(folder, dry_run=dry_run)
    for path in done.moved:
        say(console, ("would be moved aside: " if dry_run else "moved aside: ", "bold"), str(path))
    for said in done.lost:
        say(console, ("lost: ", "bold"), said)
    for said in done.kept:
        say(console, ("kept: ", "bold"), said)
    for said in done.again:
        say(console, ("again: ", "bold"), said)
