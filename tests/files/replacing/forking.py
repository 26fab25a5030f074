"""Work in a fork of this process, which may hold locks and have changes."""

from __future__ import annotations

import os
from collections.abc import Callable


def forked(work: Callable[[], None]) -> int:
    """Run in a fork; give its process id."""
    child = os.fork()
    if not child:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(77)
    return child


def status(child: int) -> int:
    """Wait for a fork to end; give its exit status."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
