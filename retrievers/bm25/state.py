"""One commit of a BM25 folder: the files it is made of, on record with their sizes and digests."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np

from reml.contract.examples import Json
from reml.contract.vectors import Int64Array
from reml.devices.disk import save_array
from reml.files.atomic import MANIFEST, CorruptError, atomic_folder, read_json, read_manifest, write_manifest
from reml.files.integrity.checked import CheckedFile, reading
from reml.files.integrity.sealed import check_files
from reml.files.origin import KIND, Origin
from reml.files.replacing.drafts import is_draft, remove
from reml.retrievers.bm25.counts import KeptCounts, Statistics

TERMS, STATISTICS, DELETED = "terms.json", "statistics.npz", "deleted.npy"
_NAME = re.compile(r"(counts|state)-[0-9a-f]{12}")
AGAIN = "Delete the index to have it built again."
TEXT_STATISTICS = "text-statistics.npz"  # where titles are counted apart


@dataclass(frozen=True, slots=True)
class State:
    """One commit: what it was made from, the files of its counts, and its own folder ("" before the first)."""

    origin: Origin
    name: str = ""
    counts: tuple[CheckedFile, ...] = ()
    files: tuple[CheckedFile, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the last commit; `CorruptError` if there is none."""
        content = read_manifest(folder, KIND)
        try:
            origin = Origin(str(content["collection"]), int(str(content["version"])), str(content["encoder"]))
            return cls(origin, str(content["state"]), _files(content["counts"]), _files(content["files"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptError(
                f"{folder / MANIFEST} does not describe a BM25 index ({error!r}). Delete {folder} to have it rebuilt."
            ) from error

    def commit(self, folder: Path) -> None:
        """Make this the last commit, then remove what it does not name."""
        files: Mapping[str, Json] = {
            "counts": [file.content() for file in self.counts],
            "files": [file.content() for file in self.files],
        }
        write_manifest(folder, KIND, {**asdict(self.origin), "state": self.name, **files})
        named = {self.name, *(Path(file.name).parts[0] for file in self.counts)}
        for path in folder.iterdir():
            if path.name not in named and (_NAME.fullmatch(path.name) or is_draft(path.name)):
                remove(path)

    def check(self, folder: Path) -> None:
        """Raise `CorruptError` if the terms, statistics or deleted rows are not what was written.

        Which bytes are read says `REML_VERIFY` (`reml.files.integrity.sealed`). Counts have checksums of their own.
        """
        check_files(folder, self.files, again=f"Delete {folder} to have it built again.")

    def terms(self, folder: Path) -> list[str]:
        """Read the terms, in the order of their numbers."""
        terms = read_json(folder / self.name / TERMS) if self.name else []
        assert isinstance(terms, list)  # noqa: S101 - `check` has seen that it is what was written
        return [str(term) for term in terms]

    def deleted(self, folder: Path) -> Int64Array:
        """Read which rows of the counts are deleted, ascending."""
        if not self.name:
            return np.empty(0, dtype=np.int64)
        path = folder / self.name / DELETED
        with reading(path, AGAIN):
            rows: Int64Array = np.load(path, allow_pickle=False)
        return rows

    def statistics(self, folder: Path) -> Statistics:
        """Read the statistics."""
        statistics, texts = _read_statistics(folder / self.name / STATISTICS), folder / self.name / TEXT_STATISTICS
        return replace(statistics, texts=_read_statistics(texts)) if texts.is_file() else statistics

    def kept(self, folder: Path, *, fields: bool) -> KeptCounts:
        """Open the counts of the items that are there; `CorruptError` if a file is missing or cut short."""
        for file in self.counts:
            file.check_size(folder)
        return KeptCounts([folder / file.name for file in self.counts], self.deleted(folder), fields)


def write_state(folder: Path, terms: Sequence[str], statistics: Statistics, deleted: Int64Array) -> list[CheckedFile]:
    """Write the folder of a state; give its files, by their paths in the folder above."""
    parts = {STATISTICS: statistics}
    if statistics.texts is not None:
        parts[TEXT_STATISTICS] = statistics.texts
    with atomic_folder(folder) as draft:
        (draft / TERMS).write_text(json.dumps(terms), encoding="utf-8")
        for name, part in parts.items():
            np.savez(draft / name, frequencies=part.frequencies, items=part.items, length=part.length)
        save_array(draft / DELETED, deleted, folder)
    return [CheckedFile.of(folder.parent, f"{folder.name}/{file}") for file in (TERMS, *parts, DELETED)]


def _read_statistics(path: Path) -> Statistics:
    with reading(path, AGAIN), np.load(path, allow_pickle=False) as file:
        return Statistics(file["frequencies"], int(file["items"]), int(file["length"]))


def _files(content: Json) -> tuple[CheckedFile, ...]:
    if not isinstance(content, list):
        raise ValueError(f"a list of files is expected, not {content!r}")
    return tuple(map(CheckedFile.parse, content))
