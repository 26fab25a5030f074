"""What is written beside a name until it is whole, who holds it, and what a killed writer left of it.

.NAME.1a2b3c4d          a draft: what is written now. A folder has the file `.held` in it, which its writer has locked
.NAME.1a2b3c4d.new      a whole folder that is about to take the name, where two names cannot change places in one step
.NAME.1a2b3c4d.old      a folder that has given the name up for it

In that last case the name is not there for an instant. Whoever finds it so, since a writer was killed then, takes the
newest whole one (`adopt`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from reml.files.replacing.exchange import exchange
from reml.files.replacing.unlinked import FILE_MODE, unlinked, withhold

try:
    import fcntl
except ImportError:  # Windows: drafts are then not held, and those of dead writers stay for a day
    _CAN_HOLD = False
else:
    _CAN_HOLD = True

HELD, NEW, OLD = ".held", ".new", ".old"
BESIDE = (NEW, OLD, f"/{HELD}")
# A draft that no process holds is left alone so long: its writer may be about to take hold of it.
GRACE_SECONDS = 60
# One of which nobody can tell whether a process holds it: its file system has no locks, or it is whole.
LONG_SECONDS = 24 * 3600
_DRAFT = re.compile(r"\.(?P<name>.+)\.[0-9a-f]{8}(?P<state>|\.new|\.old)")
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
# A file system that has nothing to do when a folder is to be synced.
_NO_SYNC = (errno.EINVAL, errno.EBADF, errno.EOPNOTSUPP)


def new_draft(final: Path) -> Path:
    """Name a draft beside `final`."""
    return final.parent / f".{final.name}.{secrets.token_hex(4)}"


def is_draft(name: str) -> bool:
    """Tell whether a file or folder is, by its name, a draft of something."""
    return _DRAFT.fullmatch(name) is not None


def is_stream(path: Path) -> bool:
    """Tell whether what has a name is no file or folder that another could take the place of: a device, a pipe."""
    if path.is_symlink() and path.absolute().parts[1:2] in (("dev",), ("proc",)):
        return path.exists()  # /dev/stdout, whatever it leads to
    return path.exists() and not path.is_file() and not path.is_dir()


@contextlib.contextmanager
def held(draft: Path) -> Iterator[None]:
    """Show that this process is writing a draft; the system lets go of it when the process ends, however it ends."""
    # For writing: on NFS nothing else can be locked against others.
    folder = draft.is_dir()
    handle = unlinked(str(draft / HELD if folder else draft), os.O_RDWR | (os.O_CREAT if folder else 0))
    try:
        if _CAN_HOLD:
            with contextlib.suppress(OSError):  # a file system without locks: `sweep` then goes by age alone
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


def put_in_place(draft: Path, final: Path) -> None:
    """Give a whole folder its name, in place of what has it; at every instant the one or the other can be had."""
    (draft / HELD).unlink(missing_ok=True)
    sync_all(draft)
    try:
        draft.rename(final)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        if exchange(draft, final):
            sync(final.parent)
            remove(draft)
        else:
            _change_names(draft, final)
    else:
        sync(final.parent)


def _change_names(draft: Path, final: Path) -> None:
    new, old = draft.with_name(draft.name + NEW), draft.with_name(draft.name + OLD)
    draft.rename(new)
    try:
        final.rename(old)
        try:
            new.rename(final)
        except OSError:
            # Somebody who did not find it may have given the new one its name.
            if not os.path.lexists(final):
                old.rename(final)
            if os.path.lexists(new):
                raise
    finally:
        if os.path.lexists(final):
            remove(new)
    sync(final.parent)
    remove(old)


def adopt(final: Path) -> bool:
    """Give a folder's name, where it is not there, to the newest whole one that a killed writer left; say if so."""
    if os.path.lexists(final):
        return False
    with contextlib.suppress(OSError):  # nothing is there, or this user may not look
        for state in (NEW, OLD):
            left = [path for path, its in _drafts_of(final) if its == state]
            for path in sorted(left, key=_changed, reverse=True):
                path.rename(final)
                sync(final.parent)
                return True
    return False


def sweep(final: Path) -> None:
    """Remove the drafts of `final` whose writers are dead, as far as that can be told."""
    for draft, state in _drafts_of(final):
        with contextlib.suppress(OSError):  # another process swept it, or this user may not
            # Dated ahead, since a clock was set back, is as good as long ago.
            if abs(time.time() - _changed(draft)) > GRACE_SECONDS and _is_left(draft, state, final):
                remove(draft)


def _drafts_of(final: Path) -> list[tuple[Path, str]]:
    """Give the drafts of `final`, each with its state: "", NEW or OLD."""
    found = ((path, _DRAFT.fullmatch(path.name)) for path in final.parent.iterdir())
    return [(path, match["state"]) for path, match in found if match is not None and match["name"] == final.name]


def _is_left(draft: Path, state: str, final: Path) -> bool:
    if state:
        return os.path.lexists(final)
    try:
        handle = unlinked(str(draft / HELD if draft.is_dir() else draft), os.O_RDWR)
    except FileNotFoundError:  # not yet held, or no more: what was there before, which the new one has replaced
        return _is_old(draft)
    try:
        if not _CAN_HOLD:
            return _is_old(draft)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return _is_old(draft)
    finally:
        os.close(handle)
    return True


def _is_old(draft: Path) -> bool:
    """Tell whether nothing in a draft was changed for a day."""
    now = time.time()
    return all(abs(now - _changed(path)) > LONG_SECONDS for path in (draft, *draft.rglob("*")))


def _changed(path: Path) -> float:
    return path.lstat().st_mtime


def remove(path: Path) -> None:
    """Remove a file, a link or a folder as far as that goes."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


def sync_all(folder: Path) -> None:
    """Hand a folder to the disk: all files in it, then the folders, the outermost last."""
    for inner, _, names in os.walk(folder, topdown=False):
        for path in (Path(inner, name) for name in names):
            if not path.is_symlink():
                sync(path)
        sync(Path(inner))


def sync(path: Path) -> None:
    """Hand a file or folder to the disk; what was made for everybody to write to is so no more."""
    handle = os.open(path, os.O_RDONLY)
    try:
        withhold(handle)
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_SYNC or not path.is_dir():
            error.filename = str(path)
            raise
    finally:
        os.close(handle)


def touch(draft: Path) -> None:
    """Make an empty draft of a file."""
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE))
