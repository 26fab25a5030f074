"""Files whose size and digest are on record: the size is checked when they are opened, the bytes on demand."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import CorruptError, file_digest


@contextlib.contextmanager
def reading(path: Path, then: str) -> Iterator[None]:
    """Raise `CorruptError`, which names the file, for whatever a library says of bytes that are not what was written.

    then: what to do about it, a sentence. What the system says of a file that is there is raised as it is: where too
    many files are open, or this user may not read it, nothing is wrong with its bytes.
    """
    try:
        yield
    except (CorruptError, MemoryError):
        raise
    except Exception as error:  # each format has errors of its own, and some are of no kind at all
        if isinstance(error, OSError) and error.errno not in (None, errno.ENOENT):
            raise
        raise CorruptError(f"{path} cannot be read ({type(error).__name__}: {error}). {then}") from error


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file by its path relative to some folder, with what its bytes must be."""

    name: str
    size: int
    digest: str

    @classmethod
    def of(cls, folder: Path, name: str) -> CheckedFile:
        """Put the file as it is now on record."""
        path = folder / name
        return cls(name, path.stat().st_size, file_digest(path))

    @classmethod
    def parse(cls, content: Json) -> CheckedFile:
        """Read what `content` wrote; `ValueError` if it is anything else."""
        match content:
            case {"name": str(name), "size": int(size), "digest": str(digest)}:
                return cls(name, size, digest)
        raise ValueError(f"a file's record has a name, a size and a digest, not {content!r}.")

    def content(self) -> Mapping[str, Json]:
        """Give the record as JSON."""
        return {"name": self.name, "size": self.size, "digest": self.digest}

    def check_size(self, folder: Path, again: str = "") -> None:
        """Raise `CorruptError` if the file is missing or of another size. again: what to do then, a sentence."""
        path = folder / self.name
        size = path.stat().st_size if path.is_file() else None
        if size != self.size:
            state = "is missing" if size is None else f"has {size:,} bytes"
            raise CorruptError(f"{path} {state} where {self.size:,} bytes were written. {again or _again(folder)}")

    def check_bytes(self, folder: Path, again: str = "") -> None:
        """Raise `CorruptError` if the file is missing or a byte of it is not what was written."""
        self.check_size(folder, again)
        if file_digest(folder / self.name) != self.digest:
            raise CorruptError(f"{folder / self.name} is not what was written. {again or _again(folder)}")


def _again(folder: Path) -> str:
    return f"Delete {folder} and rebuild it."
