"""Reads every byte on record below a folder, and lists what is damaged or missing.

    found = verify(home())
    found.damaged, found.files, found.unrecorded

A manifest has its files on record, each as {name or path, size, digest}. A collection has
more: the files of all its versions. Beside a writer, which may replace a manifest and then sweep files that it named, a
folder is read again until its manifest stays as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reml.collection.versions import BUILDING, VERSIONS, Version, kept_version
from reml.collection.versions import KIND as COLLECTION
from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.devices.progress import working
from reml.devices.work import Work
from reml.files.atomic import MANIFEST, SIGNATURE, CorruptError, read_json, repair_of, unsigned
from reml.files.integrity.checked import CheckedFile
from reml.files.integrity.sealed import FILES, is_aside
from reml.files.shared_folder import LAYOUT

# A writer that commits while a folder is read: it is then read again, at most so often.
TRIES = 50
# Where manifests have records: of stages, results and most indexes; of BM25's counts; of the segments of an index.
PLACES = (FILES, "counts", "segments")


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what was written. problem: a sentence that names it; then: what to do, a sentence."""

    path: Path
    problem: str
    then: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What was read: files on record and their bytes, those of them that are damaged, and files on no record."""

    files: int
    bytes: int
    damaged: tuple[Damage, ...]
    unrecorded: int


@dataclass(frozen=True, slots=True)
class _Folder:
    """What the manifest of a folder has on record, by the file's path; the damages of what tells it."""

    path: Path
    then: str
    state: bytes
    files: tuple[CheckedFile, ...]
    damaged: tuple[Damage, ...]


@takes_paths
def verify(*folders: Path) -> Verified:
    """Read every byte on record below folders; go on after damage.

    `FileNotFoundError` for a folder that is not there. What the system refuses to read (no right, an error of the
    disk) is among the damages, in the system's words.
    """
    for folder in folders:
        if not folder.is_dir():
            raise FileNotFoundError(f"there is no folder {folder}. Name a home, or a folder in it.")
    places = dict.fromkeys(place for folder in folders for place in holds_manifest(folder))
    known = [_known(place, repair_of(repairable(place))) for place in places]
    every = {path for folder in folders for path in _files(folder)}
    recorded: set[Path] = set()
    damaged: list[Damage] = []
    size = sum(file.size for one in known for file in one.files)
    with working("verify", size, "bytes") as work:
        for one in known:
            found, damages = _settled(one, work)
            damaged += damages
            recorded |= {found.path / file.name for file in found.files} | ({found.path / MANIFEST})
    return Verified(len(recorded), size, tuple(damaged), len(every - recorded))


def records(folder: Path) -> list[CheckedFile]:
    """Give what the manifest of a folder has on record; `CorruptError` if the manifest is not what was written."""
    again = repair_of(folder)
    content = read_json(folder / MANIFEST, again)
    if not isinstance(content, dict):
        raise CorruptError(f"{folder / MANIFEST} is no manifest. {again}")
    said = unsigned(content, folder / MANIFEST, again)
    if said.get("kind") == COLLECTION:
        return Version.parse(said, folder / MANIFEST).files
    if SIGNATURE not in content and "kind" not in said:
        raise CorruptError(f"{folder / MANIFEST} is no manifest. {again}")
    try:
        return list(dict.fromkeys(_found([said.get(name) for name in PLACES])))
    except ValueError as error:
        raise CorruptError(f"{folder / MANIFEST} is not what was written: {error} {again}") from error


def damage_in(folder: Path, then: str) -> list[Damage]:
    """Give all that is damaged of what one folder's manifest has on record, and of the manifest."""
    known = _known(folder, then)
    return _settled(known, Work("verify"))[1]


def holds_manifest(folder: Path) -> Iterator[Path]:
    """Go through all folders with a manifest, this one too, from above; a collection is one, without its versions."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not is_aside(name))
        if MANIFEST in names or (VERSIONS in folders and BUILDING not in names):
            yield here
            folders[:] = [name for name in folders if name != VERSIONS or not _is_collection(here)]


def repairable(folder: Path) -> Path:
    """Give the outermost folder that is repaired as one: the stage, unless a collection in it holds more than it."""
    if _is_collection(folder):
        return folder
    return outermost(folder) or folder


def outermost(folder: Path) -> Path | None:
    """Give the outermost folder with a manifest that a folder is in or is, below a home: a stage; none without one.

    Outside of a home it is the folder itself that counts.
    """
    whole = folder if (folder / MANIFEST).is_file() else None
    for above in folder.absolute().parents:
        if (above / LAYOUT).is_file():
            return whole
        if (above / MANIFEST).is_file():
            whole = above
    return folder


def _is_collection(folder: Path) -> bool:
    return (folder / VERSIONS).is_dir()


def _known(folder: Path, then: str) -> _Folder:
    """Read what a folder has on record; of a collection in all versions."""
    state = _state(folder)
    files: list[CheckedFile] = []
    damaged: list[Damage] = []
    try:
        files += records(folder)
    except FileNotFoundError:
        damaged.append(Damage(folder / MANIFEST, f"{folder / MANIFEST} is missing.", then))
    except (CorruptError, OSError) as error:
        damaged.append(_damage(folder / MANIFEST, error, then))
    for path in sorted((folder / VERSIONS).glob(f"*/{MANIFEST}")) if _is_collection(folder) else ():
        try:
            files += kept_version(folder, int(path.parent.name)).files
            files.append(CheckedFile.of(folder, path.relative_to(folder).as_posix()))
        except (CorruptError, OSError) as error:
            if path.exists():  # not pruned since
                damaged.append(_damage(path, error, then))
    return _Folder(folder, then, state, tuple(dict.fromkeys(files)), tuple(damaged))


def _settled(known: _Folder, work: Work) -> tuple[_Folder, list[Damage]]:
    """Check the files of a folder, anew while a writer changes what they are."""
    for _ in range(TRIES):
        damaged = [*known.damaged, *_checked(known, work)]
        if not damaged or _state(known.path) == known.state:
            break
        if not known.path.is_dir():
            return known, []
        known = _known(known.path, known.then)
    return known, damaged


def _checked(known: _Folder, work: Work) -> Iterator[Damage]:
    for file in known.files:
        try:
            file.check_bytes(known.path, known.then)
        except (CorruptError, OSError) as error:
            yield _damage(known.path / file.name, error, known.then)
        work.advance(file.size)


def _damage(path: Path, error: Exception, then: str) -> Damage:
    if isinstance(error, OSError):
        return Damage(path, f"{path} cannot be read: {error.strerror or error}.", "See to the disk, or to your rights.")
    return Damage(path, str(error).removesuffix(then).rstrip(), then)


def _state(folder: Path) -> bytes:
    """Give what changes when a writer commits or prunes: the manifest, and which versions there are."""
    try:
        manifest = (folder / MANIFEST).read_bytes()
    except OSError:
        manifest = b""
    kept = (os.fsencode(path.parent.name) for path in (folder / VERSIONS).glob(f"*/{MANIFEST}"))
    return manifest + b"".join(sorted(kept))


def _found(value: Json) -> Iterator[CheckedFile]:
    """Go through all records of a manifest."""
    if isinstance(value, Mapping):
        name = value.get("name", value.get("path"))
        if {"size", "digest"} <= set(value) and isinstance(name, str):
            yield CheckedFile.parse({"name": name, "size": value["size"], "digest": value["digest"]})
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _found(one)


def _files(folder: Path) -> Iterable[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_aside(name)]
        yield from (Path(place) / name for name in names if not is_aside(name))
