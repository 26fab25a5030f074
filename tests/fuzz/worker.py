"""A command in a process of its own, forked from one that has all imported: what it printed and how it ended."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path

SECONDS = 120
CPU_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """status: the exit status, negative for a signal, None for a command that did not end."""

    status: int | None
    printed: str


def servers() -> ForkServerContext:
    """Give where processes come from that have the command line and its libraries imported."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.fuzz.imported"])
    return context


def outcome_of(context: ForkServerContext, words: list[str], folder: Path) -> Outcome:
    """Run `reml` with these words, its home in the folder."""
    out = folder / "printed.txt"
    process = context.Process(target=_command, args=(words, folder, out), daemon=True)
    process.start()
    process.join(SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
        return Outcome(None, _text(out))
    return Outcome(process.exitcode, _text(out))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _command(words: list[str], folder: Path, out: Path) -> None:
    from reml.__main__ import main

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    os.environ.update(REML_HOME=str(folder / "home"), COLUMNS="200")
    os.chdir(folder)
    descriptor = os.open(out, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    sys.exit(main(words))
