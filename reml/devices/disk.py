"""A disk that takes no more: where it is, what was wanted and what is free, whichever library met it.

Libraries tell it in ways of their own: Python by an error number without a name, numpy by "358423 requested and 36832
written", Arrow, safetensors and FAISS in the middle of errors of other kinds.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

try:
    import resource
except ImportError:  # Windows, where files may grow
    _LIMITED = False
else:
    _LIMITED = True

# No space, the user's share used up, a file as long as one may be: by number, and in what libraries say.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SAID = re.compile("|".join([*(re.escape(os.strerror(number)) for number in FULL), r"\d+ requested and \d+ written"]))
# What this user may not read or write.
FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


class DiskFullError(OSError):
    """A disk takes no more; the message names the place, what is free there and what to do."""


@contextmanager
def written(place: Path) -> Iterator[None]:
    """Raise `DiskFullError`, which names this file or folder, for whatever says that a disk takes no more.

    Another error of the system that names no file gets this one.
    """
    try:
        yield
    except DiskFullError:
        raise
    except Exception as error:
        if is_full(error):
            raise DiskFullError(full(place)) from error
        if isinstance(error, OSError) and error.errno is not None and error.filename is None:
            error.filename = str(place)
        raise


def save_array(path: Path, values: npt.NDArray[Any], place: Path) -> None:
    """Write an array to a file as `numpy.save` does; `DiskFullError` says how many bytes it needs.

    place: what the file is a part of, which is named.
    """
    with path.open("wb") as stream:
        try:
            np.save(stream, values, allow_pickle=False)
        except OSError as error:
            if not is_full(error):
                raise
            os.ftruncate(stream.fileno(), 0)  # so that what is free is told as it was
            raise DiskFullError(full(place, values.nbytes)) from error


def taken_array(path: Path, dtype: npt.DTypeLike, shape: tuple[int, ...], place: Path) -> npt.NDArray[Any]:
    """Make a file of an array of zeros, of one number or more, and map it to be written.

    All of its space is taken first: where a mapped file has holes, a disk that is full by then ends the process.
    `DiskFullError` as of `save_array`.
    """
    kind, size = np.dtype(dtype), int(np.prod(shape)) * np.dtype(dtype).itemsize
    with path.open("wb") as stream:
        header = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
        try:
            np.lib.format.write_array_header_1_0(stream, header)
            stream.flush()
            _take(stream, stream.tell(), size)
        except OSError as error:
            if not is_full(error):
                raise
            os.ftruncate(stream.fileno(), 0)
            raise DiskFullError(full(place, size)) from error
    return np.asarray(np.lib.format.open_memmap(path, mode="r+"))


def _take(stream: BinaryIO, start: int, size: int) -> None:
    """Take the space of bytes that come after those of a file; zeros are written where the system cannot take it."""
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(stream.fileno(), start, size)
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS}:
                raise
        else:
            return
    zeros = bytes(min(size, 1 << 20))
    for done in range(0, size, len(zeros)):
        stream.write(zeros[: size - done])
    stream.flush()


def is_full(error: Exception) -> bool:
    """Tell whether an error is that a disk takes no more."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in FULL
    return _SAID.search(str(error)) is not None


def full(place: Path, wanted: int | None = None) -> str:
    """Say that no more can be written to a place, what is free there, and what to do. wanted: bytes, if known."""
    free, limit = _free(place), _longest()
    needs = f"{wanted:,} bytes" if wanted is not None else "more bytes"
    if limit is not None and free > limit:
        why, room = errno.EFBIG, f"a file may have {limit:,} (`ulimit -f`)"
    else:
        why, room = errno.ENOSPC, f"{free:,} are free"
    return (
        f"{os.strerror(why)} while writing to {place}: it needs {needs} and {room}; what was there before is intact. "
        "Make room and run again, or name another place by --home or REML_HOME."
    )


def _free(place: Path) -> int:
    there = next((one for one in (place, *place.absolute().parents) if one.exists()), Path())
    return shutil.disk_usage(there).free


def _longest() -> int | None:
    """Give the length that a file may have for this process, if there is a limit."""
    if not _LIMITED:
        return None
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return None if limit == resource.RLIM_INFINITY else limit
