"""The n-th call of a kind fails, once or from then on, with an error of the system."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faulty.calls import watched


@dataclass
class Fault:
    """kind: of the calls. number: of the call that fails, from 1. error: its number. lasting: whether all later fail.

    seen: how many calls of each kind there were.
    """

    kind: str
    number: int
    error: int
    lasting: bool = False
    seen: Counter[str] = field(default_factory=Counter)

    def __call__(self, kind: str, path: str | None) -> None:
        """Count a call; raise what the system would, with the name where it would give one."""
        self.seen[kind] += 1
        late = self.seen[kind] >= self.number if self.lasting else self.seen[kind] == self.number
        if kind == self.kind and late:
            raise OSError(self.error, os.strerror(self.error), *([] if path is None else [path]))


@contextlib.contextmanager
def failing(root: Path, fault: Fault) -> Iterator[Fault]:
    """Let a call for a file below `root` fail while the block runs."""
    with watched(root, fault):
        yield fault


@contextlib.contextmanager
def counting(root: Path) -> Iterator[Counter[str]]:
    """Count the calls for files below `root`."""
    nothing = Fault("", 0, 0)
    with watched(root, nothing):
        yield nothing.seen


@contextlib.contextmanager
def dying(root: Path, number: int) -> Iterator[None]:
    """End this process, as a kill would, just before the call of that number, of whatever kind."""
    calls = 0

    def told(kind: str, path: str | None) -> None:
        nonlocal calls
        calls += 1
        if calls == number:
            os._exit(9)

    with watched(root, told):
        yield
