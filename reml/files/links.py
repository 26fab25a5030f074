"""Folders that hold the files of another one, without their bytes being written a second time."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from reml.files.replacing.unlinked import make_folder


def link_folder(source: Path, target: Path) -> None:
    """Fill a folder with hard links to all files of another, but those with a dot in front; copies where links fail.

    Files that are never changed, only replaced or removed, are then safe from each other in both folders.
    """
    shutil.copytree(source, target, copy_function=link_file, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)


def link_file(source: str | Path, target: str | Path) -> None:
    """Make one hard link; a copy on another file system, or on one without links."""
    make_folder(Path(target).parent)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
