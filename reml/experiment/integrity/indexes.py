"""Repairs an impact index: segments that are damaged go, the others stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reml.experiment.integrity.moving import Repaired, aside, move_files
from reml.files.atomic import CorruptError, locked
from reml.index.commits import Commit, StoredSegment

ROWS = "rows.npy"


def repair_index(folder: Path, *, dry: bool = False) -> Repaired:
    """Commit the segments that are whole. dry: say what would be done, and do nothing.

    An index whose manifest is damaged is moved aside as a whole. `LockedError` while another process writes to it.
    """
    with locked(folder):
        try:
            commit = Commit.last(folder)
        except CorruptError:
            return all_aside(folder, "Its manifest is damaged: build it again.", dry=dry)
        wrong = [
            segment for segment in commit.segments if not all(file.checked.is_whole(folder) for file in segment.files)
        ]
        if not wrong:
            return Repaired(folder, kept=(f"It is whole at commit {commit.number}.",))
        moved = tuple(folder / segment.name for segment in wrong)
        lost = tuple(_rows_of(folder, segment) for segment in wrong)
        left = tuple(segment for segment in commit.segments if segment not in wrong)
        if not dry:
            move_files(moved, folder, aside(folder))
            Commit(commit.number + 1, commit.width, left).write(folder)
        kept = f"{len(left)} of its {len(commit.segments)} segments stay."
        return Repaired(folder, moved, lost, (kept,), ("Add the rows that are lost again, or build it again.",))


def all_aside(folder: Path, again: str, *, dry: bool) -> Repaired:
    """Move a folder away as a whole. again: how it is made again, a sentence."""
    if not dry:
        folder.rename(aside(folder))
    return Repaired(folder, (folder,), again=(again,))


def _rows_of(folder: Path, segment: StoredSegment) -> str:
    """Say which rows a segment has, as far as that can be read."""
    file = next((file for file in segment.files if Path(file.path).name == ROWS), None)
    if file is None or not file.checked.is_whole(folder):
        return f"The rows of {segment.name} are lost; which they are cannot be read any more."
    rows = np.load(folder / file.path, allow_pickle=False)
    if not len(rows):
        return f"Nothing but {segment.name} without rows is lost."
    shown = ", ".join(map(str, np.sort(rows)[:20].tolist()))
    return f"{len(rows):,} rows of {segment.name} are lost: {shown}{', ...' if len(rows) > 20 else ''}."
