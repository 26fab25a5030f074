"""What a disk may do to a file."""

from __future__ import annotations

from pathlib import Path


def flip(path: Path, place: int | None = None) -> None:
    """Change a bit of the byte at a place, the middle unless given."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if place is None else place] ^= 1
    path.write_bytes(content)
