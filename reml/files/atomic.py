"""Files that are whole or not there: atomic writing, manifests, digests and locks.

A folder that users can see is complete, because it is written beside its final name and renamed. Its `manifest.json`
says what made it, so that a result can be traced and an index that does not fit is refused.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import hashlib
import json
import os
import shlex
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path

from reml.contract.arguments.paths import takes_paths
from reml.contract.examples import Json
from reml.devices.disk import is_full, written
from reml.files.integrity import owned
from reml.files.integrity.owned import Made, refuse_others
from reml.files.replacing import drafts
from reml.files.replacing.drafts import adopt, held, new_draft, put_in_place, remove, sweep, sync
from reml.files.replacing.locks import take_lock
from reml.files.replacing.unlinked import FOLDER_MODE, make_folder

MANIFEST = owned.MANIFEST
SIGNATURE = "signature"  # in a file of JSON, the digest of all else that it says
_NAME_OTHER = "Name another folder."
_NAME_HOME = "name a folder to write to, by --home or REML_HOME"
_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=False)  # made once: most of what is digested is short


class StaleError(RuntimeError):
    """What is on disk was made for something else; the message says how to rebuild it."""


class CorruptError(RuntimeError):
    """What is on disk cannot be read or is not what its manifest says; the message names the file."""


class LockedError(RuntimeError):
    """Another process writes here at this moment."""


def home(named: str | Path | None = None) -> Path:
    """Give the folder for everything that users make: the one that is named, else `REML_HOME`, or `~/.cache/reml`.

    `OSError` where `~` stands for the folder of a user that there is not, or that has none.
    """
    given = str(named or os.environ.get("REML_HOME") or "~/.cache/reml")
    try:
        return Path(given).expanduser()
    except RuntimeError as error:
        user = given.partition("/")[0].removeprefix("~")
        why = f"there is no user {user!r}" if user else "this user has no home folder"
        raise OSError(f"{given} cannot be found, since {why}: {_NAME_HOME}.") from error


def usable_home(named: str | Path | None = None) -> Path:
    """Give `home(named)`; `OSError` if it is a file, a link to nothing, or a folder that this user may not read."""
    path = home(named)
    if (wrong := _no_folder(path)) is not None:
        raise OSError(f"{path} cannot be the home, where all is kept: {wrong}; {_NAME_HOME}.")
    return path


def _no_folder(path: Path) -> str | None:
    """Say why a path is no folder and cannot become one; nothing if it is or can."""
    there = next(one for one in (path, *path.absolute().parents) if os.path.lexists(one))
    if there.is_symlink() and not there.exists():
        return f"{there} is a link to {there.readlink()}, which is not there"
    if not there.is_dir():
        return f"{there} is a file"
    if not os.access(there, os.R_OK | os.X_OK):
        return f"this user may not read {there}"
    if there == path:
        return None
    return f"this user may not write to {there}" if not os.access(there, os.W_OK) else _makes_no_folder(there)


def _makes_no_folder(there: Path) -> str | None:
    """Say why no folder can be made in a folder, as in `/proc`, where rights do not tell; nothing if one can."""
    try:
        with tempfile.TemporaryDirectory(prefix=".", dir=there):
            return None
    except OSError as error:
        return None if is_full(error) else f"no folder can be made in {there} ({error.strerror})"


def digest(*parts: Json | bytes) -> str:
    """Give a digest of JSON values and bytes, 16 hexadecimal digits, the same in every process."""
    hasher = hashlib.blake2b(digest_size=8)
    for part in parts:
        data = part if isinstance(part, bytes) else _utf8(_CANONICAL.encode(part))
        hasher.update(len(data).to_bytes(8, "little") + data)
    return hasher.hexdigest()


@takes_paths
def file_digest(path: Path) -> str:
    """Give the digest of a file's bytes, read in bounded memory."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=8)).hexdigest()


@contextlib.contextmanager
def _called(final: Path, draft: Path) -> Iterator[None]:
    """Name what somebody asked for, where the system names its draft."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename is None and not getattr(error, "__notes__", None):
            error.add_note(f"while {final} was written")
        named = None if error.filename is None else os.fsdecode(error.filename)
        if named is None or not named.startswith(str(draft)):
            raise
        rest = named.removeprefix(str(draft))
        error.filename = str(final) + ("" if rest in drafts.BESIDE else rest)
        if error.errno != errno.ENOENT or named != str(draft) or not final.parent.is_dir():
            raise
        raise OSError(f"{final} cannot be made: nothing can be in {final.parent}. Name another place.") from error


@contextlib.contextmanager
@takes_paths
def atomic_folder(final: Path, made: Made | None = None) -> Iterator[Path]:
    """Write a folder beside `final`; it takes that name, in place of what was there, only if the block ends well.

    A folder that is there must be of the same maker (`reml.files.integrity.owned`): `FileExistsError`, before the block
    if `made` says what the maker writes, or else after it, when the names are known. Drafts that killed processes left
    behind are removed in the end; a folder that one of them was just replacing takes its name again.
    """
    adopt(final)
    if made is not None:
        refuse_others(final, made)
    draft = new_draft(final)
    with _called(final, draft):
        make_folder(draft.parent)
        draft.mkdir(mode=FOLDER_MODE)
    try:
        with _called(final, draft), written(final), held(draft):
            yield draft
            like = Made.like(draft)
            refuse_others(final, like if made is None else made.also(like))
            put_in_place(draft, final)
        sweep(final)
    finally:
        remove(draft)


@contextlib.contextmanager
@takes_paths
def atomic_file(final: Path) -> Iterator[Path]:
    """Write a file beside `final`; it takes that name only if the block ends well.

    One that is there with the same bytes stays, with a new date: the disk, which takes long, need not take it again.
    Drafts that killed processes left behind are then removed. What is no file (/dev/stdout, /dev/null, a pipe) is
    written to in the end, and stays what it is.
    """
    if drafts.is_stream(final):
        with tempfile.TemporaryDirectory() as place:
            yield (beside := Path(place, "draft"))
            with beside.open("rb") as made, final.open("wb") as stream:
                shutil.copyfileobj(made, stream)
        return
    make_folder(final.parent)
    draft = new_draft(final)
    with _called(final, draft):
        drafts.touch(draft)
    try:
        with _called(final, draft), written(final), held(draft):
            yield draft
            if not _is_there(draft, final):
                sync(draft)
                draft.replace(final)
                sync(final.parent)
        sweep(final)
    finally:
        draft.unlink(missing_ok=True)


@takes_paths
def write_text(path: Path, text: str) -> None:
    """Write a text file that is whole or not there."""
    with atomic_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


@takes_paths
def write_json(path: Path, value: Json) -> None:
    """Write JSON, indented, whole or not there. What UTF-8 cannot hold (half a surrogate pair) is written escaped."""
    with atomic_file(path) as draft:
        draft.write_bytes(_utf8(json.dumps(value, indent=1, ensure_ascii=False) + "\n"))


@takes_paths
def read_json(path: Path, again: str = "") -> Json:
    """Read JSON; `CorruptError` names the file and the line if it is not JSON.

    again: what to do then, a sentence: only the caller knows what can be made again, and what would be lost.
    """
    try:
        value: Json = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise CorruptError(f"{path} is not readable JSON ({error}). {again}".rstrip()) from error
    return value


def signed(content: Mapping[str, Json]) -> dict[str, Json]:
    """Add to JSON that is to be written the digest of what it says."""
    return {**content, SIGNATURE: digest(json.loads(json.dumps(dict(content))))}


def unsigned(content: Mapping[str, Json], path: Path, again: str = "") -> dict[str, Json]:
    """Take off what `signed` added; `CorruptError` if the rest is not what it was. A former version added nothing."""
    said = {name: value for name, value in content.items() if name != SIGNATURE}
    damaged = content[SIGNATURE] != digest(said) if SIGNATURE in content else any(map(_signs(said), said))
    if damaged:
        raise CorruptError(f"{path} is not what was written. {again}".rstrip())
    return said


def _signs(content: Mapping[str, Json]) -> Callable[[str], bool]:
    """Tell of a name whether it is that of the signature, with a letter of it damaged: nothing else signs the rest."""

    def signs(name: str) -> bool:
        rest = {other: value for other, value in content.items() if other != name}
        return len(name) == len(SIGNATURE) and isinstance(content[name], str) and content[name] == digest(rest)

    return signs


def repair_of(folder: Path) -> str:
    """Say what to do about a folder that is damaged, whatever it holds: nothing that is whole is lost by it."""
    return f"`reml repair {shlex.quote(str(folder))}` keeps what is whole and says what is to be made again."


@takes_paths
def write_manifest(folder: Path, kind: str, content: Mapping[str, Json]) -> None:
    """Write `manifest.json`: the kind of folder, the library's version and what made it; with a digest of all that."""
    write_json(folder / MANIFEST, signed({"kind": kind, "reml": metadata.version("reml"), **content}))


@takes_paths
def read_manifest(folder: Path, kind: str, again: str = "") -> dict[str, Json]:
    """Read `manifest.json` of a folder of this kind; `CorruptError` if it is missing, damaged or of another kind.

    again: what to do where it is damaged, a sentence (`read_json`), to ask `reml repair` if left out.
    """
    path = folder / MANIFEST
    adopt(folder)
    if not path.is_file():
        raise CorruptError(
            f"{folder} has no {MANIFEST}: it is not a {kind} made by reml, or not whole. {again or _NAME_OTHER}"
        )
    advice = again or repair_of(folder)
    value = read_json(path, advice)
    if not isinstance(value, dict) or value.get("kind") != kind:
        other = value.get("kind") if isinstance(value, dict) else None
        what = again or (_NAME_OTHER if isinstance(other, str) else advice)
        raise CorruptError(f"{path} does not describe a {kind}. {what}")
    return unsigned(value, path, advice)


@contextlib.contextmanager
@takes_paths
def locked(folder: Path, *, wait: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold the only writer's lock on `folder`; the system frees it when the process ends, however it ends.

    While another process holds it: `LockedError`; or, after a call of `wait`, wait. `OSError` says what to do where the
    file system has no locks.
    """
    adopt(folder)
    make_folder(folder)
    lock = take_lock(folder / ".lock", wait=False)
    if lock is None:
        if wait is None:
            raise LockedError(f"another process is writing to {folder}. Wait for it to end.")
        wait()
        lock = take_lock(folder / ".lock", wait=True)
    try:
        yield
    finally:
        if lock is not None:
            lock.release()


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")  # of a lone surrogate in JSON: \udXXX, JSON's own escape


def _is_there(draft: Path, final: Path) -> bool:
    """Tell whether a file has the bytes of its draft already; it then is of now."""
    if final.is_symlink() or not final.is_file() or not filecmp.cmp(draft, final, shallow=False):
        return False
    try:
        os.utime(final)
    except OSError:  # somebody else's file in a folder of ours
        return False
    return True
