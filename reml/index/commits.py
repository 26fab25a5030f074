"""What a folder of segments holds at one commit: a manifest that names the segments and what is deleted in them.

A commit is the atomic replacement of the manifest, so a reader sees the last commit or the one before it, whole.
Segments and deletions are files that never change; those that no commit names are swept by the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from reml.files.atomic import MANIFEST, CorruptError, file_digest, read_manifest, write_manifest
from reml.files.integrity.checked import CheckedFile, reading
from reml.files.integrity.owned import Made
from reml.files.integrity.sealed import Verify, check_files
from reml.files.replacing.drafts import is_draft, remove
from reml.index.segment import AGAIN

KIND = "impact index"
# What a commit removes where it does not name it, and what may be in the folder where an index is built.
SWEPT = ("segment-????????????", "segment-????????????-deleted-*.npy")
MADE = Made((MANIFEST, "segment-????????????/*.npy", SWEPT[1]))
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file, by its path in the index folder, with its size in bytes and digest."""

    path: str
    size: int
    digest: str

    @property
    def checked(self) -> CheckedFile:
        """The same as other folders have it."""
        return CheckedFile(self.path, self.size, self.digest)


@dataclass(frozen=True, slots=True)
class StoredSegment:
    """A segment's folder, the file that holds which of its rows are deleted ("" for none), and all files of both."""

    name: str
    deleted: str
    files: tuple[StoredFile, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of an index: 0 is the empty index before the first commit."""

    number: int
    width: int
    segments: tuple[StoredSegment, ...]

    def write(self, folder: Path) -> None:
        """Make this the folder's last commit, then sweep what it does not name."""
        write_manifest(folder, KIND, asdict(self))
        named = {segment.name for segment in self.segments} | {segment.deleted for segment in self.segments}
        for path in folder.iterdir():
            if path.name not in named and (any(map(path.match, SWEPT)) or is_draft(path.name)):
                remove(path)

    @classmethod
    def last(cls, folder: Path) -> Commit:
        """Read the last commit; `CorruptError` if there is none."""
        return _parsed(folder, read_manifest(folder, KIND))

    def check(self, folder: Path, verify: Verify | None = None) -> None:
        """See that all files are what was written; `CorruptError` names one that is not.

        verify: which bytes are read, as `REML_VERIFY` says unless given (`reml.files.integrity.sealed`).
        """
        again = f"The index in {folder} has to be built again from its vectors."
        check_files(folder, [file.checked for file in self.files()], again=again, verify=verify)

    def files(self) -> tuple[StoredFile, ...]:
        """All files of all segments."""
        return tuple(file for segment in self.segments for file in segment.files)


def with_files(folder: Path, commit: Commit, use: Callable[[Commit], Given]) -> Given:
    """Use the files of a commit; those of the last one, where a writer has swept these meanwhile.

    `CorruptError` for a file that is missing or damaged though the commit is the last.
    """
    while True:
        try:
            return use(commit)
        except (CorruptError, FileNotFoundError) as error:
            last = Commit.last(folder)
            if last == commit:
                if isinstance(error, CorruptError):
                    raise
                raise CorruptError(f"{error.filename} is missing. {AGAIN}") from error
            commit = last


def stored(folder: Path, name: str, deleted: str, known: dict[str, StoredFile]) -> StoredSegment:
    """Describe a segment as it is on disk; files in `known` (by path) are not read again."""
    paths = sorted(path for path in (folder / name).iterdir()) + ([folder / deleted] if deleted else [])
    files = [_stored_file(folder, path, known) for path in paths]
    return StoredSegment(name, deleted, tuple(files))


def read_deleted(folder: Path, deleted: str, rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Give which of a segment's rows are alive, bool [rows]."""
    alive = np.ones(rows, dtype=np.bool_)
    if deleted:
        with reading(folder / deleted, AGAIN):
            alive[np.load(folder / deleted, allow_pickle=False)] = False
    return alive


def _stored_file(folder: Path, path: Path, known: dict[str, StoredFile]) -> StoredFile:
    name = str(path.relative_to(folder))
    return known.get(name) or StoredFile(name, path.stat().st_size, file_digest(path))


def _parsed(folder: Path, manifest: dict[str, Any]) -> Commit:
    try:
        return Commit(
            int(manifest["number"]),
            int(manifest["width"]),
            tuple(
                StoredSegment(
                    str(segment["name"]),
                    str(segment["deleted"]),
                    tuple(StoredFile(str(f["path"]), int(f["size"]), str(f["digest"])) for f in segment["files"]),
                )
                for segment in manifest["segments"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptError(f"{folder / MANIFEST} does not describe an index ({error!r}). {AGAIN}") from error
