"""Says when kernels are compiled: once a machine, since numba keeps them on disk, and it takes most of a minute.

They are kept in `__pycache__` beside the sources, or in the user's cache folder where that cannot be written; the
environment variable NUMBA_CACHE_DIR names another place.
"""

from __future__ import annotations

import logging

from numba.core.event import Event, Listener, register


class Announcement(Listener):
    """Logs a warning when the first kernel of a package is compiled, and nothing when it is loaded from disk."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._told = False

    def on_start(self, event: Event) -> None:
        """Tell it once."""
        module = event.data["dispatcher"].py_func.__module__
        if not self._told and module.partition(".")[0] == self._package:
            self._told = True
            logging.getLogger(__name__).warning(
                "compiling the kernels of %s for this machine, once; they are kept on disk", self._package
            )

    def on_end(self, event: Event) -> None:
        """Do nothing."""


def announce(package: str) -> None:
    """Have the first compilation of a package's kernels told, from now on."""
    register("numba:compile", Announcement(package))  # type: ignore[no-untyped-call]
