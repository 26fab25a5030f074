"""Moves what is damaged aside, under a name that nothing else looks for; nothing is ever deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from reml.files.integrity.sealed import ASIDE


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair found and did, or would do. moved: what lies aside now, as it was named.

    lost: what cannot be had any more, a sentence each. kept: what is whole and stays, a sentence each. again: what is
    to be made again and how, a sentence each.
    """

    folder: Path
    moved: tuple[Path, ...] = ()
    lost: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    again: tuple[str, ...] = ()

    @property
    def was_whole(self) -> bool:
        """Tell whether there was nothing to repair."""
        return not (self.moved or self.lost or self.again)


def aside(folder: Path) -> Path:
    """Name the place beside a folder that is moved aside as a whole: with a number behind, which no key ends with."""
    number = 1
    while (place := folder.with_name(f"{ASIDE}{folder.name}-{number}")).exists():
        number += 1
    return place


def move_files(paths: Iterable[Path], folder: Path, place: Path) -> None:
    """Move files and folders below `folder` to where they would be below `place`; those that are not there are not."""
    for path in paths:
        if path.exists():
            target = place / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
