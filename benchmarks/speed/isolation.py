"""Work in a fresh process of its own, so that peaks of memory do not mix and a crash ends only that work."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypeVar

Result = TypeVar("Result")
# A process that has sent its result may tidy up for so long.
ENDING_SECONDS = 10


class FailedError(RuntimeError):
    """The work did not end well; the message says how."""


def run_isolated(work: Callable[[], Result], *, seconds: float, log: Path) -> Result:
    """Do work in a fresh process and give its result; what it prints goes to `log`.

    `FailedError` if it takes longer than `seconds` or its process ends without a result.
    """
    context = multiprocessing.get_context("spawn")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(work, sending, log), daemon=True)
    process.start()
    sending.close()  # so that the end of the process ends the waiting
    try:
        if not receiving.poll(seconds):
            raise FailedError(f"stopped after {seconds:,.0f} s")
        result: Result = receiving.recv()
        process.join(ENDING_SECONDS)
    except EOFError as error:
        process.join()
        raise FailedError(f"its process ended with status {process.exitcode}: {_last_line(log)}") from error
    finally:
        process.kill()
        process.join()
    return result


def _work(work: Callable[[], Result], sending: Connection, log: Path) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    sending.send(work())


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
    return lines[-1] if lines else "it said nothing"
