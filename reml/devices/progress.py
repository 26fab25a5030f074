"""How far work is that takes a while: what is done of it, how fast, and how long it still takes.

    for batch in tracked(batches, "predict", unit="examples", size=len):
        ...

Work of two seconds or more gets a bar on a terminal; where nobody watches (a log, another program) it says a line every
30 seconds. `REML_PROGRESS`, or `--progress` of any command, chooses: `auto`, `bars`, `lines` or `off`. Counting costs
an addition; one thread beside the work looks at the count a few times a second.

The process that the user started shows its work; those that it starts itself, or Lightning for it, show nothing.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import parent_process
from typing import TYPE_CHECKING, Final, TypeVar, final

from rich.console import Console

from reml.devices.rank_zero import is_rank_zero
from reml.devices.terminal import is_watched, progress_console, say_progress
from reml.devices.work import Work

if TYPE_CHECKING:
    from reml.devices.bars import Bars

Value = TypeVar("Value")
PROGRESS: Final = "REML_PROGRESS"
WAYS: Final = ("auto", "bars", "lines", "off")
SHOWN_AFTER: Final = 2.0  # seconds
LINE_EVERY: Final = 30.0
_LOOK_EVERY: Final = 0.2


@contextmanager
def working(what: str, total: int | None = None, unit: str = "", done: int = 0) -> Iterator[Work]:
    """Show work while the block lasts. done: of it before, by a run that was stopped."""
    work = Work(what, total, unit, done)
    begin(work)
    try:
        yield work
    finally:
        end(work)


def tracked(
    values: Iterable[Value],
    what: str,
    *,
    unit: str = "",
    size: Callable[[Value], int] | None = None,
    total: int | None = None,
    done: int = 0,
    of_parts: bool = False,
) -> Iterator[Value]:
    """Go through values as work that is shown.

    size: how many units a value is, one unless given. total: of units, where they cannot be counted. done: before the
    first of these values. of_parts: each value is one step of work that is tracked itself.
    """
    if total is None and isinstance(values, Collection):
        total = done + (len(values) if size is None else sum(map(size, values)))
    with working(what, total, unit, done) as work:
        for value in values:
            count = 1 if size is None else size(value)
            work.step = count if of_parts else 0
            yield value
            work.step = 0
            work.advance(count)


@contextmanager
def busy(console: Console) -> Iterator[Callable[[str], None]]:
    """Show what is being done until the block ends; what is yielded says what that is now."""
    with shown_on(console), working("") as work:

        def now(what: str) -> None:
            work.what = what

        yield now


@contextmanager
def shown_on(console: Console) -> Iterator[None]:
    """Show all work of the block on a console, nothing on a quiet one; none of it is shown any more when it ends."""
    _SHOWN.consoles.append(console)
    before = list(_SHOWN.works)
    try:
        yield
    finally:
        _SHOWN.consoles.pop()
        mine = threading.get_ident()
        for work in [work for work in _SHOWN.works if work not in before and work.thread == mine]:
            end(work)  # what an error broke off


def begin(work: Work) -> None:
    """Show work from now on, until `end`. `ValueError` if `REML_PROGRESS` names no way to show it."""
    _SHOWN.begin(work)


def end(work: Work) -> None:
    """Show work no more; does nothing if it is not shown."""
    _SHOWN.end(work)


def end_all() -> None:
    """Show none of the work that is under way any more, such as what errors broke off whose traceback is kept."""
    for work in list(_SHOWN.works):
        end(work)


def choose(way: str) -> None:
    """Choose how all work is shown from now on, by this process and those it starts; `ValueError` names the ways."""
    os.environ[PROGRESS] = _known(way)


def _is_first() -> bool:
    return is_rank_zero() and parent_process() is None


def _known(way: str) -> str:
    if way not in WAYS:
        raise ValueError(f"{PROGRESS} (--progress) is {way!r}: choose {', '.join(WAYS[:-1])} or {WAYS[-1]}.")
    return way


@final
class _Shown:
    """All work that is under way, and the thread that shows it."""

    def __init__(self) -> None:
        self.works: list[Work] = []
        self.consoles: list[Console] = []
        self._changed = threading.Condition()
        self._bars: Bars | None = None
        self._thread: threading.Thread | None = None
        self._rests = self._begun = False

    def begin(self, work: Work) -> None:
        way = _known(os.environ.get(PROGRESS, "auto"))
        work.console = self.consoles[-1] if self.consoles else None
        if way == "off" or not _is_first() or (work.console is not None and work.console.quiet):
            return
        with self._changed:
            work.start(self.works)
            self.works.append(work)
            self._begun = True
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()
            elif self._rests:
                self._changed.notify()

    def end(self, work: Work) -> None:
        with self._changed:
            if work not in self.works:
                return
            self.works.remove(work)
            work.stop(self.works)
            now = time.monotonic()
            if work.told and work.console is not None:
                say_progress(work.console, work.closing(now))
            if work.in_bar:
                self._show_bars(now)

    def forget(self) -> None:
        """Begin anew, in a process that was forked: it has no such thread, and its locks may be held for ever."""
        self.__init__()

    def _run(self) -> None:
        with self._changed:
            while True:
                # It rests where nothing has begun for a while: to be woken for each short work would cost more than it.
                self._rests = not self.works and not self._begun
                self._begun = False
                self._changed.wait(None if self._rests else _LOOK_EVERY)
                self._rests = False
                with suppress(OSError, ValueError, SystemExit):  # nobody sees it any more
                    self._look(time.monotonic())

    def _look(self, now: float) -> None:
        long = [work for work in self.works if not work.is_part and now - work.begun >= SHOWN_AFTER]
        for work in long:
            if not work.placed:
                way, work.console = os.environ.get(PROGRESS, "auto"), progress_console(work.console)
                work.in_bar, work.placed = way == "bars" or (way == "auto" and is_watched(work.console)), True
        self._show_bars(now)
        for work in long:
            if not work.in_bar and now - (work.told or work.begun) >= LINE_EVERY and not self._is_told_by_others(work):
                work.told = now
                say_progress(progress_console(work.console), work.line(now))

    def _is_told_by_others(self, work: Work) -> bool:
        """Tell whether a work that counts nothing consists, in its thread, of others that do."""
        later = self.works[self.works.index(work) + 1 :]
        return not work.total and not work.done and any(other.placed and other.thread == work.thread for other in later)

    def _show_bars(self, now: float) -> None:
        shown = [work for work in self.works if work.in_bar and not self._is_told_by_others(work)]
        if not shown and self._bars is not None:
            self._bars.stop()
            self._bars = None
        elif shown:
            from reml.devices.bars import Bars  # only when there is something to show

            self._bars = self._bars if self._bars is not None else Bars(progress_console(shown[0].console))
            self._bars.show([work.row(now) for work in shown])


_SHOWN: Final = _Shown()
atexit.register(end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_SHOWN.forget)
