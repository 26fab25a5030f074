"""Members of a tar archive, read as they come: nothing is unpacked, so nothing can land where it should not."""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from reml.files.atomic import CorruptError
from reml.files.integrity.checked import of_system


def read_members(archive: Path, names: Collection[str]) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the wanted files of a .tar or .tar.gz in the archive's order, each to be read before the next is asked for.

    `CorruptError` if the archive is cut short or damaged, has a member whose path leaves its folder, or lacks a file.
    """
    missing = set(names)
    try:
        with tarfile.open(archive, "r|*") as tar:
            for member in tar:
                _refuse_path(archive, member.name)
                stream = tar.extractfile(member) if member.isreg() and member.name in missing else None
                if stream is not None:
                    yield member.name, stream
                    missing.discard(member.name)
                if not missing:
                    return
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if of_system(error):
            raise
        raise CorruptError(f"{archive} is cut short or damaged ({error}). Delete it and fetch it again.") from error
    raise CorruptError(f"{archive} has no {sorted(missing)}: it is another archive. Delete it and fetch it again.")


def _refuse_path(archive: Path, name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise CorruptError(f"{archive} has a member at {name!r}, outside its folder: do not trust it. Delete it.")
