"""Repairs a stage, a result folder, a collection or an index, whichever a folder is: what is whole is kept.

    repair("~/.cache/reml/hits/retrieve-3f2a")    # `Repaired`: what was moved, what is lost, what is made again

Nothing is deleted: what is damaged is moved aside, to a name that begins with `damaged-`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from reml.collection.versions import VERSIONS
from reml.contract.arguments.paths import takes_paths
from reml.experiment.integrity.collections import repair_collection
from reml.experiment.integrity.indexes import all_aside, repair_index
from reml.experiment.integrity.moving import Repaired, aside, move_files
from reml.experiment.integrity.verifying import Damage, damage_in, holds_manifest, outermost
from reml.files.atomic import MANIFEST, CorruptError, locked, read_json
from reml.files.shared_folder import LAYOUT
from reml.index.commits import KIND as IMPACT

ROOMS_OF_RESULTS = {"runs": "run", "studies": "study", "benchmarks": "benchmark"}
_RUN = "`reml run` makes it again."


@takes_paths
def repair(folder: Path, *, dry_run: bool = False) -> Repaired:
    """Keep what is whole of a damaged folder, and list what is lost. dry_run: only say what would be done.

    A collection goes on without what is damaged of it; an impact index without its damaged segments. A stage is moved
    aside, so that the next run makes it again; but one that holds a collection stays: what it holds is repaired. Of
    results the damaged files are moved aside, for the next run to write again.

    `FileNotFoundError` for a folder that is not there, `ValueError` for one without anything on record,
    `LockedError` while another process writes to it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}. Name the one that `reml verify` names.")
    if (folder / VERSIONS).is_dir() or (folder / "building.json").is_file():
        stage = outermost(folder)
        built = stage in (None, folder) or stage.parent.name == "collections"
        return repair_collection(folder, built=built, dry=dry_run)
    if (folder / LAYOUT).is_file() or not (folder / MANIFEST).is_file():
        raise ValueError(f"{folder} is repaired in parts: name each folder that `reml verify {folder}` names.")
    kind = _kind(folder)
    if kind == IMPACT:
        return repair_index(folder, dry=dry_run)
    if kind == "stage":
        return _stage(folder, dry=dry_run)
    damaged = _all_damage(folder)
    if not damaged:
        return Repaired(folder, kept=("It is whole.",))
    if kind in ROOMS_OF_RESULTS.values():
        return _files(folder, damaged, f"Run the {kind} again, which writes it anew.", dry=dry_run)
    with locked(folder):
        return all_aside(folder, "What made it makes it again.", dry=dry_run)


def _kind(folder: Path) -> str:
    """Say what a folder is: by its manifest, or where that is damaged by the room that it is in."""
    room = folder.resolve().parent
    try:
        content = read_json(folder / MANIFEST)
    except CorruptError:
        content = None
    kind = content.get("kind") if isinstance(content, dict) else None
    if (room.parent / LAYOUT).is_file():
        return ROOMS_OF_RESULTS.get(room.name, "stage")
    return str(kind)


def _stage(folder: Path, *, dry: bool) -> Repaired:
    inside = [repair(place, dry_run=dry) for place in _collections(folder)]
    with locked(folder):
        damaged = _all_damage(folder)
        if not inside:
            return all_aside(folder, _RUN, dry=dry) if damaged else Repaired(folder, kept=("It is whole.",))
        return _with(inside, _held(folder, damaged, dry=dry))


def _held(folder: Path, damaged: list[Damage], *, dry: bool) -> Repaired:
    """Repair a stage that holds a collection, which stays; what else is in it is made again of that."""
    if not damaged:
        return Repaired(folder)
    of_stage = {damage.path for damage in damaged}
    indexes = {place for place in _manifests(folder) if any(place in path.parents for path in of_stage)}
    moved = {path for path in of_stage if not any(place in path.parents for place in indexes)} | indexes
    moved.add(folder / MANIFEST)
    if not dry:
        move_files(sorted(moved), folder, folder / aside(folder / "stage").name)
    kept = "It holds what was stored, which stays where it is."
    return Repaired(folder, tuple(sorted(moved)), kept=(kept,), again=("`reml run` goes on with it.",))


def _with(inside: list[Repaired], stage: Repaired) -> Repaired:
    every = [one for one in inside if not one.was_whole] + [stage]
    return Repaired(
        stage.folder,
        tuple(path for one in every for path in one.moved),
        tuple(said for one in every for said in one.lost),
        tuple(said for one in every for said in one.kept) or ("It is whole.",),
        tuple(said for one in every for said in one.again),
    )


def _files(folder: Path, damaged: list[Damage], again: str, *, dry: bool) -> Repaired:
    moved = sorted({damage.path for damage in damaged if damage.path.exists()})
    if not dry:
        move_files(moved, folder, folder / aside(folder / "files").name)
    return Repaired(folder, tuple(moved), again=(again,))


def _all_damage(folder: Path) -> list[Damage]:
    """List what is damaged of a folder, and of folders in it that are repaired with it."""
    places = [folder, *_manifests(folder)]
    return [damage for place in places for damage in damage_in(place, "")]


def _manifests(folder: Path) -> Iterator[Path]:
    """Go through the folders with manifests below one that are no collections."""
    return (place for place in holds_manifest(folder) if place != folder and not (place / VERSIONS).is_dir())


def _collections(folder: Path) -> list[Path]:
    return [place for place in holds_manifest(folder) if (place / VERSIONS).is_dir()]
