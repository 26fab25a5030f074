"""Folders that all which is kept in one home shares, whatever stage of whatever experiment it was made for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

# Says which layout the stages of a home have, and so that a folder is one.
LAYOUT: Final = "layout.json"


def shared_folder(folder: Path, room: str) -> Path:
    """Give `room` in the home that `folder` lies in, else in `folder` itself."""
    homes = (parent for parent in folder.absolute().parents if (parent / LAYOUT).is_file())
    return next(homes, folder) / room
