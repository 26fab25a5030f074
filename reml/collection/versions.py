"""Versions of a collection on disk: which segments and which deleted rows each is made of.

manifest.json                    the newest version; replacing it is what commits
versions/00000003/manifest.json  every version that was not pruned
versions/00000003/deleted.npy    all rows deleted up to that version, ascending, where it deleted any
segments/                        see `reml.collection.segments`
building.json                    a first version that is being built: what a later run goes on from
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from reml.collection.passages import RUNS, Units
from reml.collection.segments import SegmentRecord
from reml.contract.examples import Json
from reml.files.atomic import (
    MANIFEST,
    CorruptError,
    digest,
    read_json,
    read_manifest,
    repair_of,
    write_json,
    write_manifest,
)
from reml.files.integrity.checked import CheckedFile
from reml.files.integrity.owned import Made
from reml.files.replacing.drafts import is_draft, remove
from reml.files.replacing.unlinked import make_folder

KIND = "collection"
SEGMENTS, VERSIONS, DELETED, BUILDING = "segments", "versions", "deleted", "building.json"
# The names that versions and segments get; further columns of a segment have names of the user's.
_DIGITS, _ROWS = "[0-9]" * 8, f"{'[0-9]' * 12}-{'[0-9]' * 12}"
MADE = Made(
    (
        *(MANIFEST, BUILDING, f"{SEGMENTS}/{_ROWS}/*", f"{VERSIONS}/{_DIGITS}/{MANIFEST}", f"{DELETED}/{_DIGITS}.i64"),
        *(f"{name}/" for name in (SEGMENTS, VERSIONS, DELETED, f"{VERSIONS}/{_DIGITS}")),
    )
)

# Of English, 100 words a row: about 80 MB on disk, 400 MB in memory while it is written.
SEGMENT_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class Version:
    """One version. `source` is the fingerprint of what it was built from, "" if it started empty.

    `words` and `units` say how pages are split, if they are, and `segment_rows` how many rows a segment may have.
    """

    number: int
    source: str
    words: int | None
    segment_rows: int = SEGMENT_ROWS
    segments: tuple[SegmentRecord, ...] = ()
    deleted: CheckedFile | None = None
    deleted_rows: int = 0
    units: Units = RUNS

    @property
    def next_row(self) -> int:
        """The row that the next new item gets."""
        return self.segments[-1].stop if self.segments else 0

    @property
    def pages(self) -> int:
        """The number of pages that were written, deleted ones included."""
        return sum(segment.pages for segment in self.segments)

    @property
    def files(self) -> list[CheckedFile]:
        """All files that it is made of, by their paths in the collection's folder."""
        placed = [
            CheckedFile(f"{SEGMENTS}/{segment.name}/{file.name}", file.size, file.digest)
            for segment in self.segments
            for file in segment.files
        ]
        return [*placed, self.deleted] if self.deleted is not None else placed

    @property
    def fingerprint(self) -> str:
        """A digest of the items and of which of them are deleted."""
        content = [file.digest for segment in self.segments for file in segment.files]
        return digest(content, self.deleted.digest if self.deleted else None)

    @classmethod
    def parse(cls, content: Mapping[str, Json], path: Path) -> Version:
        """Read what `content` wrote to `path`; `CorruptError` if it is anything else or was changed."""
        again = repair_of(path.parents[2] if path.parents[1].name == VERSIONS else path.parent)
        try:
            version = _parse(content)
            intact = version.content()["digest"] == content.get("digest")
        except ValueError as error:
            raise CorruptError(f"{path} describes no version of a collection: {error} {again}") from error
        if not intact:
            raise CorruptError(f"{path} is not what was written. {again}")
        return version

    def content(self) -> Mapping[str, Json]:
        """Give the version as JSON, with the counts a reader wants to see and a digest of all of it."""
        content: dict[str, Json] = {
            "version": self.number,
            "source": self.source,
            "settings": {"words": self.words, "segment_rows": self.segment_rows, **self._made_of},
            "counts": {"rows": self.next_row, "deleted": self.deleted_rows, "pages": self.pages},
            "fingerprint": self.fingerprint,
            "deleted": self.deleted.content() if self.deleted else None,
            "segments": [segment.content() for segment in self.segments],
        }
        return {**content, "digest": digest(content)}

    @property
    def _made_of(self) -> dict[str, Json]:
        return {} if self.units == RUNS else {"units": asdict(self.units)}


def read_version(folder: Path, number: int | None = None) -> Version:
    """Read the newest version, or that of a number; `ValueError` says which there are."""
    again = repair_of(folder) if (folder / VERSIONS).is_dir() else ""
    newest = Version.parse(read_manifest(folder, KIND, again), folder / MANIFEST)
    if number is None or number == newest.number:
        return newest
    kept = version_numbers(folder, newest.number)
    if number not in kept:
        raise ValueError(f"{folder} has no version {number}; it has {', '.join(map(str, kept))}.")
    return kept_version(folder, number)


def kept_version(folder: Path, number: int) -> Version:
    """Read the copy of a version that is kept under its number; `CorruptError` if it is not there or damaged."""
    path = _version_folder(folder, number)
    return Version.parse(read_manifest(path, KIND, repair_of(folder)), path / MANIFEST)


def version_numbers(folder: Path, newest: int) -> list[int]:
    """Give the numbers of all versions that are kept, ascending."""
    numbers = (int(path.parent.name) for path in (folder / VERSIONS).glob(f"*/{MANIFEST}"))
    return sorted(number for number in numbers if number <= newest)


def commit(folder: Path, version: Version) -> None:
    """Make a version the newest. Until the last step nobody sees it; killed anywhere, the former one is."""
    kept = _version_folder(folder, version.number)
    make_folder(kept)
    write_manifest(kept, KIND, version.content())
    write_manifest(folder, KIND, version.content())


def prune(folder: Path, keep: int) -> None:
    """Forget all versions but the newest `keep`, and remove what none of these needs and what killed writers left."""
    numbers = version_numbers(folder, read_version(folder).number)
    versions = [read_version(folder, number) for number in numbers[-keep:]]
    segments = {record.name for version in versions for record in version.segments}
    deleted = {Path(version.deleted.name).name for version in versions if version.deleted}
    # Versions go before their files, so that a prune that is killed leaves no version without them.
    _remove_others(folder / VERSIONS, _DIGITS, {f"{version.number:08d}" for version in versions})
    _remove_others(folder / SEGMENTS, _ROWS, segments)
    _remove_others(folder / DELETED, f"{_DIGITS}.i64", deleted)
    remove_drafts(folder)


def remove_drafts(folder: Path) -> None:
    """Remove the unfinished files of writers that were killed."""
    for draft in [*folder.glob(".*"), *folder.glob("*/.*"), *folder.glob(f"{VERSIONS}/*/.*")]:
        if is_draft(draft.name):
            remove(draft)


def read_building(folder: Path) -> Version | None:
    """Read how far the first version was built; `None` if it is not being built."""
    path = folder / BUILDING
    if not path.is_file():
        return None
    content = read_json(path, repair_of(folder))
    if not isinstance(content, dict):
        raise CorruptError(f"{path} does not describe a collection. {repair_of(folder)}")
    return Version.parse(content, path)


def write_building(folder: Path, version: Version) -> None:
    """Put on record how far the first version is built."""
    write_json(folder / BUILDING, version.content())


def _version_folder(folder: Path, number: int) -> Path:
    return folder / VERSIONS / f"{number:08d}"


def _remove_others(folder: Path, ours: str, names: set[str]) -> None:
    for path in sorted(folder.glob(ours)):
        if path.name not in names:
            remove(path)


def _parse(content: Mapping[str, Json]) -> Version:
    match content:
        case {
            "version": int(number),
            "source": str(source),
            "settings": {"words": (int() | None) as words, "segment_rows": int(segment_rows), **made_of},
            "counts": {"deleted": int(deleted_rows)},
            "deleted": deleted,
            "segments": [*segments],
        }:
            records = tuple(map(SegmentRecord.parse, segments))
            file = None if deleted is None else CheckedFile.parse(deleted)
            return Version(
                number, source, words, segment_rows, records, file, deleted_rows, _units(made_of.get("units"))
            )
    raise ValueError("version, source, settings, counts, deleted and segments are expected.")


def _units(made_of: object) -> Units:
    match made_of:
        case None:
            return RUNS
        case {"unit": "words" | "sentences" | "paragraphs" as unit, "size": (int() | None) as size, "overlap": int(n)}:
            return Units(unit, size, n)
    raise ValueError("units are expected with unit, size and overlap.")
