"""Stages of an experiment: each is cached under the digest of all it depends on, so that a run does only what changed.

A stage's folder is finished when its `manifest.json` is there; until then whatever is in it is a state to go on from.
"""

from __future__ import annotations

import contextlib
import re
import resource
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import track

from reml.contract.examples import Json
from reml.devices.rank_zero import check_rank, is_rank_zero
from reml.files.atomic import MANIFEST, CorruptError, digest, locked, read_manifest, write_manifest
from reml.reporting.terminal import say

Value = TypeVar("Value")


@dataclass(frozen=True)
class Stage:
    """One finished stage: where it is, what it cost when it was made and whether this run found it made."""

    name: str
    key: str
    folder: Path
    seconds: float
    peak_memory_bytes: int
    cached: bool

    def to_json(self) -> dict[str, Json]:
        """Give what a manifest says of it."""
        return {
            "name": self.name,
            "key": self.key,
            "seconds": round(self.seconds, 3),
            "peak_memory_bytes": self.peak_memory_bytes,
            "cached": self.cached,
        }


class Stages:
    """Makes stages under one home folder and remembers those of this run, in order."""

    def __init__(self, home: Path, console: Console) -> None:
        self.home = home
        self.console = console
        self.done: dict[str, Stage] = {}
        self._inner = 0.0  # seconds spent on stages inside the one being built

    def make(self, room: str, name: str, depends: Json, build: Callable[[Path], object]) -> Stage:
        """Give the stage that depends on exactly `depends`, built by `build(folder)` unless it is there.

        room: the folder of its kind under home. name: what people read, unique in a run. `build` may find what an
        earlier, killed call left in the folder. While another process builds the same stage, this one waits for it.
        """
        key = digest(room, depends)
        if (known := self.done.get(name)) is not None and known.key == key:
            return known
        folder = self.home / room / f"{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}-{key}"
        cached = (folder / MANIFEST).is_file() or not self._build(folder, name, depends, build)
        self.done[name] = _finished(name, key, folder, cached)
        return self.done[name]

    def track(self, values: Sequence[Value], what: str) -> Iterable[Value]:
        """Go through values under a progress bar."""
        return track(values, escape(what), console=self.console, transient=True, disable=not self.console.is_terminal)

    def _build(self, folder: Path, name: str, depends: Json, build: Callable[[Path], object]) -> bool:
        """Build a stage; false if another process did meanwhile."""
        say(self.console, (name, "dim"))
        if not is_rank_zero():
            # It comes here while the first one holds the lock, to train with it, and ends in `build`.
            check_rank(folder)
        asked = time.perf_counter()
        with locked(folder, wait=self._tell_waiting) if is_rank_zero() else contextlib.nullcontext():
            start, outer, self._inner = time.perf_counter(), self._inner, 0.0
            if (folder / MANIFEST).is_file():
                self._inner = outer + start - asked
                return False
            reset_peak_memory()
            build(folder)
            elapsed = time.perf_counter() - start
            cost: dict[str, Json] = {"seconds": elapsed - self._inner, "peak_memory_bytes": peak_memory()}
            self._inner = outer + elapsed
            write_manifest(folder, "stage", {"name": name, "depends": depends, **cost})
        return True

    def _tell_waiting(self) -> None:
        say(self.console, ("another process is at it: waiting", "dim"))


def _finished(name: str, key: str, folder: Path, cached: bool) -> Stage:
    manifest = read_manifest(folder, "stage")
    seconds, memory = manifest.get("seconds"), manifest.get("peak_memory_bytes")
    if not isinstance(seconds, int | float) or not isinstance(memory, int):
        raise CorruptError(f"{folder / MANIFEST} does not say what the stage cost. Delete {folder} to make it again.")
    return Stage(name, key, folder, seconds, memory, cached)


def reset_peak_memory() -> None:
    """Let `peak_memory` count from now on, where the system can (Linux)."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return  # peak_memory then gives the peak of the whole process, an upper bound


def peak_memory() -> int:
    """Give the largest resident size in bytes since `reset_peak_memory`, or of the whole process where unknown."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) * 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
