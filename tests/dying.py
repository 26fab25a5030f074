"""Processes that are killed at a chosen instant: before the n-th time they touch the file system under a folder.

The system's own audit events say when; nothing of reml is replaced. A child starts from a server that has imported what
it needs, so that hundreds of deaths take seconds.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_EVENTS = frozenset({"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "tempfile.mkdtemp"})
SERVER = multiprocessing.get_context("forkserver")
# Arrow imports pandas at its first array: half a second for each child unless the server did; a run imports torch.
_PRELOADED = ["pandas", "pytest", "reml.collection.disk", "reml.experiment.runner", "tests.memory_pages"]
SERVER.set_forkserver_preload(_PRELOADED)


@contextlib.contextmanager
def memory_folder() -> Iterator[Path]:
    """Make a folder for a hundred deaths: in memory where the system has that, since each commit waits for the disk."""
    memory = Path("/dev/shm")  # noqa: S108 - only where it is
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def dies(work: Callable[[Path], None], folder: Path, instant: int) -> bool:
    """Run `work(folder)` in a process killed at its `instant`-th event, from 1; false if it ended before."""
    process = SERVER.Process(target=_run, args=(work, folder, instant))
    process.start()
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL):
        raise AssertionError(f"the process ended with {process.exitcode}, neither well nor killed.")
    return process.exitcode != 0


def _run(work: Callable[[Path], None], folder: Path, instant: int) -> None:
    seen = itertools.count(1)

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event in _EVENTS and str(folder) in str(arguments[0]) and next(seen) == instant:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    work(folder)
