"""Folders all of whose files are on record, looked at when they are opened, as `REML_VERIFY` says.

    write_manifest(draft, KIND, {..., FILES: sealed(draft)})
    check_sealed(folder, read_manifest(folder, KIND), again=f"Delete {folder} to have it built again.")

Sizes are always looked at. Digests are, by `REML_VERIFY`:

first   the default: of small files each time; of larger ones once on this machine, and again when the file has changed
        (its size, inode, or times of change, of which no program can set back the system's)
open    of all files each time that a folder is opened
never   of none
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.files.atomic import MANIFEST, CorruptError, digest, home, read_json, write_json
from reml.files.integrity.checked import CheckedFile
from reml.files.integrity.digests import SETTLED_NANOSECONDS, state_of
from reml.files.shared_folder import LAYOUT

FILES = "files"
ASIDE = "damaged-"
ROOM = "verified"
VARIABLE = "REML_VERIFY"
Verify = Literal["first", "open", "never"]
# Bytes of a file that is read each time: a millisecond.
SMALL = 1 << 20


def verification() -> Verify:
    """Say when digests are looked at: what `REML_VERIFY` says, `first` unless it is set; `ValueError` for another."""
    given = os.environ.get(VARIABLE) or "first"
    for known in get_args(Verify):
        if given == known:
            policy: Verify = known
            return policy
    raise ValueError(f"{VARIABLE} is {given!r}: give first, open or never, or leave it unset for first.")


@takes_paths
def sealed(folder: Path, *, among: Iterable[Path] | None = None, but: str = "") -> list[Json]:
    """Put files below a folder on record, in order of their names, for its manifest.

    among: which; all but the manifests, what is hidden (locks, drafts), what was moved aside since it was damaged, and
    folders below that have a manifest: these keep records of their own, as they may change later. but: a name of
    files that are left out, since they are written anew at each call.
    """
    paths = among if among is not None else _own_files(folder)
    names = sorted(path.relative_to(folder).as_posix() for path in paths if path.is_file() and path.name != but)
    return [CheckedFile.of(folder, name).content() for name in names]


@takes_paths
def check_sealed(folder: Path, manifest: Mapping[str, Json], *, again: str, verify: Verify | None = None) -> None:
    """See that the files that a manifest has on record are what was written; one of a former version has none.

    again: what to do where they are not, a sentence. verify: as `REML_VERIFY` says unless given. `CorruptError` names
    the first file that is missing, of another size, or of other bytes.
    """
    try:
        files = recorded(manifest)
    except ValueError as error:
        raise CorruptError(f"{folder / MANIFEST} is not what was written: {error} {again}") from error
    check_files(folder, files, again=again, verify=verify)


def recorded(manifest: Mapping[str, Json], *names: str) -> list[CheckedFile]:
    """Give the records of a manifest, of all files or of some; `ValueError` for what is none."""
    known = manifest.get(FILES)
    files = [CheckedFile.parse(one) for one in known] if isinstance(known, list) else []
    return [file for file in files if file.name in names] if names else files


@takes_paths
def check_files(folder: Path, files: Sequence[CheckedFile], *, again: str, verify: Verify | None = None) -> None:
    """Do as `check_sealed` does with files that are on record elsewhere."""
    policy = verify if verify is not None else verification()
    for file in files:
        file.check_size(folder, again)
    if policy == "never":
        return
    large = [file for file in files if file.size > SMALL]
    for file in files:
        if policy == "open" or file.size <= SMALL:
            file.check_bytes(folder, again)
    if policy == "first" and large:
        _check_once(folder, large, again)


def _check_once(folder: Path, files: Sequence[CheckedFile], again: str) -> None:
    """Read those files that no call on this machine has read as they are."""
    note = _note(folder)
    known, now = _read(note) if note is not None else {}, {}
    for file in files:
        try:
            state: Json = [file.digest, *state_of(folder / file.name)]
            if known.get(file.name) != state:
                file.check_bytes(folder, again)
            if _is_settled(folder / file.name):
                now[file.name] = state
        except FileNotFoundError:  # a writer swept it since
            file.check_size(folder, again)
            raise
    if note is not None and now != known:
        with contextlib.suppress(OSError):  # a note spares time and no more: where none can be written, there is none
            write_json(note, {"path": str(folder), FILES: now})


def _note(folder: Path) -> Path | None:
    """Name the note on a folder, in the home that it lies in, or in the user's; nothing where there is none."""
    try:
        homes = (parent for parent in folder.absolute().parents if (parent / LAYOUT).is_file())
        return (next(homes, None) or home()) / ROOM / f"{digest(str(folder.resolve()))}.json"
    except OSError:
        return None


def _is_settled(path: Path) -> bool:
    return time.time_ns() - path.stat().st_ctime_ns > SETTLED_NANOSECONDS


def _read(note: Path) -> dict[str, Json]:
    try:
        content = read_json(note) if note.is_file() else None
    except CorruptError:
        return {}
    known = content.get(FILES) if isinstance(content, dict) else None
    return known if isinstance(known, dict) else {}


def _own_files(folder: Path) -> Iterator[Path]:
    """Go through the files of a folder that its manifest is to have on record (`sealed`)."""
    for place, folders, names in os.walk(folder):
        here = Path(place)
        folders[:] = [name for name in folders if not is_aside(name) and not (here / name / MANIFEST).is_file()]
        yield from (here / name for name in names if name != MANIFEST and not is_aside(name))


def is_aside(name: str) -> bool:
    """Tell whether a file or folder of this name is no part of its folder: hidden, or moved aside by a repair."""
    return name.startswith((".", ASIDE))
