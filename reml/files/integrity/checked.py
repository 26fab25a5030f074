"""Files whose size and digest are on record: the size is checked when they are opened, the bytes on demand."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from reml.contract.examples import Json
from reml.files.atomic import CorruptError, file_digest, repair_of

# As Rust and Python write them, and what C++ says of files that are whole.
_NUMBER = re.compile(r"(?:os error |errno[ :]+)(\d+)", re.IGNORECASE)
_SYSTEM = (errno.EMFILE, errno.ENFILE, errno.EIO, errno.EACCES, errno.EPERM, errno.ESTALE)


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
        if of_system(error):
            if isinstance(error, OSError) and error.errno is not None:
                raise
            number = system_error(error) or errno.EIO
            raise OSError(number, os.strerror(number), str(path)) from error
        raise CorruptError(f"{path} cannot be read ({type(error).__name__}: {error}). {then}") from error


def system_error(error: Exception) -> int | None:
    """Give the number of the system's error that a library met, which may say it in words of its own; else nothing."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    text = str(error)
    if (found := _NUMBER.search(text)) is not None:
        return int(found[1])
    return next((number for number in _SYSTEM if os.strerror(number) in text), None)


def of_system(error: Exception) -> bool:
    """Tell whether the system refused a file that is there, as where too many are open: its bytes may be whole."""
    return system_error(error) not in (None, errno.ENOENT)


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
            raise CorruptError(f"{path} {state} where {self.size:,} bytes were written. {again or repair_of(folder)}")

    def check_bytes(self, folder: Path, again: str = "") -> None:
        """Raise `CorruptError` if the file is missing or a byte of it is not what was written."""
        self.check_size(folder, again)
        try:
            found = file_digest(folder / self.name)
        except FileNotFoundError:  # swept since
            self.check_size(folder, again)
            raise
        if found != self.digest:
            raise CorruptError(f"{folder / self.name} is not what was written. {again or repair_of(folder)}")

    def is_whole(self, folder: Path) -> bool:
        """Tell whether the file is there with the bytes that were written; `OSError` where it cannot be read."""
        try:
            self.check_bytes(folder)
        except CorruptError:
            return False
        return True
