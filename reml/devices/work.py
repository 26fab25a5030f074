"""Work that takes a while, as a count, and what is to be said of it: `reml.devices.progress` shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import NamedTuple, final

from rich.console import Console

_MINUTE, _HOUR = 60, 3600
_UNITS = ("bytes", "kB", "MB", "GB", "TB")


class Row(NamedTuple):
    """Work as a bar has it: what it is, what is done of how many units (`None` if unknown), and all in words."""

    what: str
    done: float
    total: int | None
    said: str


@final
class Work:
    """What is being done: `done` of `total` units, of as many as there turn out to be if that is `None`.

    unit: what is counted, in the plural; of "bytes" sizes are shown. note: what else is to be said of it now. Who has
    it counts by `advance`; the rest belongs to `reml.devices.progress`.
    """

    def __init__(self, what: str, total: int | None = None, unit: str = "", done: int = 0) -> None:
        self.what, self.total, self.unit, self.note = what, total, unit, ""
        self.done = self._before = done
        self._seen: float = done
        self.step = 0  # units of the step that is being taken, where that is work of its own
        self._part: Work | None = None  # what this step consists of
        self._parted = False  # whether that is over
        self.is_part = False
        self.begun, self.told = 0.0, 0.0  # when it began, and when it last said a line
        self._seen_at = 0.0  # when more of it was done than before
        self.thread = 0
        self.console: Console | None = None  # where it is shown, the usual one unless given
        self.placed = self.in_bar = False  # whether it is shown yet, and in a bar

    def advance(self, count: int = 1) -> None:
        """Count what is done."""
        self.done, self._parted = self.done + count, False

    def start(self, others: Iterable[Work]) -> None:
        """Begin, as a part of the step that another one takes in this thread, if there is one."""
        self.begun, self.thread, self._before = time.monotonic(), threading.get_ident(), self.done
        for other in others:
            if other.step and other.thread == self.thread and other._part is None and not other._parted and self.total:
                other._part, self.is_part = self, True

    def stop(self, others: Iterable[Work]) -> None:
        """End, and be no part of others any more."""
        for other in others:
            if other._part is self:
                other._part, other._parted = None, True

    @property
    def reached(self) -> float:
        """What is done, with what is done of the step that is being taken."""
        part = self._part
        if part is None or not part.total:
            return self.done + (self.step if self._parted else 0)
        return self.done + self.step * min(1.0, part.reached / part.total)

    def row(self, now: float) -> Row:
        """Say how far it is, in a bar."""
        whole = f"/{self._size(self.total)}" if self.total else ""
        counted = f"{self._size(self.reached)}{whole} {self._named}".strip() if self._counts else ""
        said = "  ".join(part for part in (counted, *self._pace(now), self.note) if part)
        return Row(self.what, self.reached, self.total, said)

    def line(self, now: float) -> str:
        """Say how far it is, in a line."""
        counted = self._counted(self.reached) if self._counts else ""
        if self.total:
            counted = f"{self._size(self.reached)} of {self._counted(self.total)} ({self.reached / self.total:.0%})"
        return f"{self.what}: {', '.join(part for part in (counted, *self._pace(now), self.note) if part)}"

    def closing(self, now: float) -> str:
        """Say what it was, in a line, when it has ended."""
        counted = f"{self._counted(self.reached)} in " if self._counts else ""
        return ", ".join(part for part in (f"{self.what}: {counted}{_lasting(now - self.begun)}", self.note) if part)

    @property
    def _counts(self) -> bool:
        return bool(self.total or self.reached)

    def _counted(self, count: float) -> str:
        return f"{self._size(count)} {self._named}".strip()

    def _pace(self, now: float) -> list[str]:
        """Say how fast it goes and how long it still takes; how long it took where that cannot be known."""
        reached, seconds = self.reached, now - self.begun
        if reached != self._seen:
            self._seen, self._seen_at = reached, now
        # Between two large steps the time left runs down; a step that takes as long as all before slows the rate.
        idle = now - self._seen_at
        rate = _ratio(reached - self._before, seconds - (idle if 2 * idle < seconds else 0.0))
        pace = [self._rate(rate)] if rate > 0 else []
        if self.total and rate > 0:
            left = (self.total - reached) / rate
            return [*pace, f"{_lasting(left - idle if 2 * idle < seconds else left)} left"]
        return [*pace, _lasting(seconds)]

    def _rate(self, rate: float) -> str:
        if self.unit == "bytes":
            return f"{_bytes(rate)}/s"
        if rate < 1:
            return f"{1 / rate:.1f} s each"
        return f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s"

    @property
    def _named(self) -> str:
        return "" if self.unit == "bytes" else self.unit

    def _size(self, count: float) -> str:
        return _bytes(count) if self.unit == "bytes" else f"{int(count):,}"


def _ratio(count: float, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0


def _bytes(count: float) -> str:
    power = 0
    while count >= 1000 and power < len(_UNITS) - 1:
        count, power = count / 1000, power + 1
    return f"{count:.1f} {_UNITS[power]}" if power else f"{count:.0f} {_UNITS[0]}"


def _lasting(seconds: float) -> str:
    whole = max(0, round(seconds))
    hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
    return f"{hours}:{minutes:02d}:{whole % _MINUTE:02d}" if hours else f"{minutes}:{whole % _MINUTE:02d}"
