"""Kernels: functions that numba compiles when they are first called, and keeps, so that it is done once a machine.

They are kept in the folder that NUMBA_CACHE_DIR names, or in `__pycache__` beside the sources; where a package may not
be written (installed by another user), in `kernels` of REML_HOME; where that may not be written either, in memory.
Whether they could be kept changes nothing else: a full disk, or a file that is damaged, costs another compilation.
"""

from __future__ import annotations

import functools
import logging
import tempfile
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast, final

import numba
from numba import njit
from numba.core.caching import InTreeCacheLocator
from numba.core.event import Event, Listener, register
from numba.extending import register_jitable

from reml.devices.progress import begin, end
from reml.devices.remarks import remark
from reml.devices.work import Work
from reml.files.atomic import home

KERNELS = "kernels"
# By which C would call it: numba compiles this too, and nobody does. Its types do not know the option.
SPARED: dict[str, Any] = {"no_cfunc_wrapper": True}


def kernel(function: Any) -> Any:
    """Make a kernel of a function, which runs beside other threads of Python."""
    with _kept_beside(function) as there:
        made: Any = njit(nogil=True, cache=there, **SPARED)(function)
    if there:
        kept = made._cache._cache_file
        kept._source_stamp = kept._source_stamp, _sources(Path(function.__code__.co_filename).parent)
        made._cache = _Sparing(made._cache)
    return made


@functools.cache
def _sources(folder: Path) -> list[tuple[str, int, int]]:
    """Give date and size of all that kernels of a folder may hold parts of: numba looks at their own file alone."""
    files = sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    stamps = ((one.name, one.stat()) for one in files)
    return [(name, stamp.st_mtime_ns, stamp.st_size) for name, stamp in stamps]


def part(function: Any, *, fastmath: Set[str] = frozenset(), inline: bool = False) -> Any:
    """Have a function compiled into the kernels that call it, and kept with them; to Python it stays what it was.

    A kernel in its place would take a quarter longer to compile, for what Python calls it through.

    fastmath: what numba may assume of its numbers. inline: whether its body takes the place of each call.
    """
    chosen = {"fastmath": set(fastmath) or False, "inline": "always" if inline else "never"}
    made: Any = register_jitable(**chosen, **SPARED)(function)
    return made


class Announcement(Listener):
    """Logs a warning when the first kernel of a package is compiled, and nothing when it is loaded from disk.

    Each is shown as work, with those that it calls as one.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._told = False
        self._working: list[Work] = []

    def on_start(self, event: Event) -> None:
        """Tell it once."""
        dispatcher = event.data["dispatcher"]
        self._working.append(Work(f"compile {dispatcher.py_func.__name__}"))
        begin(self._working[-1])
        if not self._told and dispatcher.py_func.__module__.partition(".")[0] == self._package:
            self._told = True
            kept = dispatcher.stats.cache_path
            then = f"once: they are kept in {kept}" if kept else f"each time: {_why_not_kept()} to keep them"
            said = "compiling the kernels of %s for this machine, up to a minute, %s"
            remark(logging.getLogger(__name__), said, self._package, then)

    def on_end(self, event: Event) -> None:  # noqa: ARG002
        """Show it no more."""
        if self._working:
            end(self._working.pop())


def _why_not_kept() -> str:
    try:
        return f"{home()} cannot be written"
    except OSError:
        return "this user has no home folder"


def announce(package: str) -> None:
    """Have the first compilation of a package's kernels told, from now on."""
    register("numba:compile", Announcement(package))  # type: ignore[no-untyped-call]


@final
class _Sparing:
    """Keeps kernels as numba does, and does without where that fails."""

    def __init__(self, kept: Any) -> None:
        self._kept = kept

    @property
    def cache_path(self) -> str:
        """Where they are kept."""
        return str(self._kept.cache_path)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Give what is kept of a signature, or nothing."""
        try:
            return self._kept.load_overload(signature, target)
        except Exception:  # whatever a damaged file leads to: it is compiled and written again
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature: Any, compiled: Any) -> None:
        """Keep what was compiled for a signature, where there is room."""
        with suppress(OSError):
            self._kept.save_overload(signature, compiled)

    def flush(self) -> None:
        """Forget what is kept."""
        self._kept.flush()


@contextmanager
def _kept_beside(function: Any) -> Iterator[bool]:
    """Have numba keep kernels in REML_HOME, within the block, where there is no other place; tell if there is one."""
    config, locator = cast("tuple[Any, Any]", (numba.config, InTreeCacheLocator))  # without types
    chosen, source = config.CACHE_DIR, function.__code__.co_filename
    if chosen or locator.from_function(function, source) is not None:
        yield True
        return
    try:
        folder = home() / KERNELS
    except OSError:  # this user has none
        yield False
        return
    config.CACHE_DIR = str(folder)
    try:
        yield _can_be_written(folder)
    finally:
        config.CACHE_DIR = chosen


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


announce("reml")
