"""What work costs that is done in several legs: killed or stopped, and gone on with later.

    with leg(folder, peak_memory) as one:
        build(folder)
    one.total()            # of all legs; `one.forget()` once that is written down elsewhere

While a leg lasts, what it has cost is noted in its folder now and then: seldom enough to cost nothing, and often enough
that a kill loses at most a tenth of the leg or ten seconds of it, whichever is less. What was done twice, since the
kill came before it was kept, was spent twice, and is counted so.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from reml.contract.examples import Json
from reml.devices.rank_zero import is_rank_zero
from reml.files.atomic import CorruptError, read_json, signed, unsigned, write_json

SPENT = ".spent.json"
SOONEST, LATEST, SHARE = 0.5, 10.0, 0.1  # seconds between two notes, and the share of the leg that is between them


@dataclass(frozen=True)
class Spent:
    """Seconds by the clock, and of the processor: of all threads of this process and of those that it waited for."""

    seconds: float = 0.0
    cpu: float = 0.0

    @classmethod
    def now(cls) -> Spent:
        """Give what the clocks show."""
        times = os.times()
        return cls(time.perf_counter(), sum(times[:4]))

    def plus(self, other: Spent) -> Spent:
        """Add up."""
        return Spent(self.seconds + other.seconds, self.cpu + other.cpu)

    def minus(self, other: Spent) -> Spent:
        """Give what came after the other."""
        return Spent(self.seconds - other.seconds, self.cpu - other.cpu)


class Leg:
    """Work in a folder from now on; that of legs inside it is not counted. peak: gives bytes of memory used at most."""

    def __init__(self, folder: Path, peak: Callable[[], int]) -> None:
        self._path, self._peak = folder / SPENT, peak
        self._before, self._memory = _read(self._path)
        self._begun, self._inner = Spent.now(), Spent()
        self._lock, self._over = threading.Lock(), threading.Event()

    def total(self) -> Spent:
        """Give what this leg and those before it cost so far."""
        return self._before.plus(Spent.now().minus(self._begun).minus(self._inner))

    @property
    def memory(self) -> int:
        """The bytes of memory of the leg that used most."""
        return max(self._memory, self._peak())

    def leave_out(self, spent: Spent) -> None:
        """Count this no more: it was spent on something else."""
        self._inner = self._inner.plus(spent)

    def note(self) -> None:
        """Write down what was spent so far; where nothing can be written, nothing is."""
        with self._lock, contextlib.suppress(OSError):
            if not self._over.is_set() and is_rank_zero():
                spent = self.total()
                said: dict[str, Json] = {"seconds": spent.seconds, "cpu_seconds": spent.cpu, "memory": self.memory}
                write_json(self._path, signed(said))

    def end(self) -> None:
        """Note it no more."""
        self._over.set()

    def forget(self) -> None:
        """Remove the note: what was spent stands elsewhere."""
        with self._lock, contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    def watch(self) -> None:
        """Note it now and then until it ends, unless a leg inside it is under way."""
        wait = SOONEST
        while not self._over.wait(wait):
            if _RUNNING[-1:] == [self]:
                self.note()
            elapsed = Spent.now().minus(self._begun).seconds
            wait = min(LATEST, max(SOONEST, SHARE * elapsed))


_RUNNING: list[Leg] = []


@contextlib.contextmanager
def leg(folder: Path, peak: Callable[[], int]) -> Iterator[Leg]:
    """Count what the block costs, with what is noted of legs before it; not in the leg around it."""
    if _RUNNING and _RUNNING[-1].total().seconds >= SOONEST:
        note_cost()
    mine, outer, begun = Leg(folder, peak), _RUNNING[-1:], Spent.now()
    _RUNNING.append(mine)
    threading.Thread(target=mine.watch, name="costs", daemon=True).start()
    try:
        yield mine
    except BaseException:
        mine.note()
        raise
    finally:
        mine.end()
        _RUNNING.remove(mine)
        for one in outer:
            one.leave_out(Spent.now().minus(begun))


def note_cost() -> None:
    """Note what the leg that is under way has cost, as when a state is kept that a later one goes on from."""
    for one in _RUNNING[-1:]:
        one.note()


def waited(spent: Spent) -> None:
    """Count this not in the leg that is under way: another process worked meanwhile."""
    for one in _RUNNING[-1:]:
        one.leave_out(spent)


def _read(path: Path) -> tuple[Spent, int]:
    """Give what legs before this one cost, and their most memory; nothing where nothing whole is noted."""
    try:
        content = read_json(path) if path.is_file() else {}
        noted = unsigned(content, path) if isinstance(content, dict) else {}
    except CorruptError:
        return Spent(), 0
    match noted:
        case {"seconds": int() | float() as seconds, "cpu_seconds": int() | float() as cpu, "memory": int(memory)}:
            return Spent(seconds, cpu), memory
    return Spent(), 0
