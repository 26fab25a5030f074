"""The standard streams, made so that nothing that is printed can fail for what it says or for who reads it."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from contextlib import suppress
from typing import TextIO, cast

from reml.devices.plain import plain


def ready_streams() -> None:
    """Let the standard streams take any text, those that were closed too, and show warnings of reml as they stand."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started the process
            setattr(sys, name, _Closed())
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    told = logging.getLogger("reml")
    if not told.handlers:
        told.addHandler(_Warnings())
    threading.excepthook = _say_of_thread


def end_output() -> None:
    """Write what is left to be printed; `OSError` where it cannot be, or where nothing could."""
    sys.stdout.flush()
    if isinstance(sys.stdout, _Closed) and sys.stdout.lost:
        raise OSError(
            "the standard output is closed, so that what was printed is lost; what was made is kept. Send it to a "
            "file (`> out.txt`), or to /dev/null."
        )


def leave_output() -> None:
    """Write what is left to be printed; let go of it where it cannot be, or Python would say so once more."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Closed(io.StringIO):
    """Takes what is printed where nothing can be, and keeps whether anything was."""

    lost = False

    def write(self, text: str) -> int:
        """Let go of a text."""
        self.lost = self.lost or bool(text)
        return len(text)


class _Warnings(logging.Handler):
    """Writes warnings to the standard error stream that there is at that moment."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        cast(TextIO, sys.stderr).write(f"{plain(record.getMessage())}\n")


def _say_of_thread(failed: threading.ExceptHookArgs) -> None:
    """Say in a sentence what ended a thread beside the command, which goes on."""
    name = failed.thread.name if failed.thread is not None else "a thread"
    sys.stderr.write(f"{plain(f'{name} ended: {failed.exc_type.__name__}: {failed.exc_value}')}\n")
