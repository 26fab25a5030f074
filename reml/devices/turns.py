"""Turns: many may read a thing at once, or one may change it."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

_ALL: weakref.WeakSet[Turns] = weakref.WeakSet()


@final
class Turns:
    """Lets threads share something, or one have it alone; neither kind waits for ever while the other keeps coming.

    Who asks to be alone lets nobody else in, and those who waited meanwhile go before the next who asks so. A thread
    that has a turn must not ask for another. A process that is forked begins without any turn taken.
    """

    def __init__(self) -> None:
        self.begin()
        _ALL.add(self)

    def __reduce__(self) -> tuple[type[Turns], tuple[()]]:
        """Copy it as one that nobody has a turn of."""
        return Turns, ()

    def begin(self) -> None:
        """Take no notice of any turn: of a forked process, where the threads that had them are not."""
        self._changed = threading.Condition()
        self._readers = self._queued = self._due = self._round = self._asking = 0
        self._alone = False

    @contextmanager
    def shared(self) -> Iterator[None]:
        """Share it, within the block."""
        with self._changed:
            if self._alone or self._asking:
                self._queue()
            self._readers += 1
        try:
            yield
        finally:
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have it alone, within the block."""
        with self._changed:
            self._asking += 1
            try:
                self._changed.wait_for(lambda: not (self._alone or self._readers or self._due))
                self._alone = True
            finally:
                self._asking -= 1
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._alone, self._due, self._round = False, self._queued, self._round + 1
                self._changed.notify_all()

    def _queue(self) -> None:
        """Wait until nobody is, or asks to be, alone, or the one who was has ended."""
        self._queued += 1
        entered = self._round
        try:
            self._changed.wait_for(lambda: not self._alone and (self._round != entered or not self._asking))
        finally:
            self._queued -= 1
            self._due -= self._round != entered


def _begin_all() -> None:
    for turns in list(_ALL):
        turns.begin()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_all)
